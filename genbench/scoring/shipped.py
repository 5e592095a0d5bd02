"""The null bands that come with genbench, like a table of critical values. Imports no torch."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

from genbench.records.record import Score

SHIPPED = Path(__file__).with_name("bands.json")


class Band(NamedTuple):
    """Where 95 % of the truth's own values of a metric lie on a dataset."""

    dataset: str
    score: Score


@cache
def all_bands() -> dict[str, list[Score]]:
    """Scores without a value, by the canonical JSON of their dataset's identity."""
    payload = json.loads(SHIPPED.read_bytes()) if SHIPPED.exists() else {}
    return {key: [Score.model_validate(band) for band in of] for key, of in payload.items()}


def bands_of(metric: str) -> Iterator[Band]:
    """The shipped bands of a metric, in the file's order."""
    for key, of in all_bands().items():
        for score in of:
            if score.identity.metric == metric and score.null_low is not None:
                yield Band(json.loads(key)["name"], score)
