"""What was measured of the trainers that come with genbench: searched defaults, a step's cost, where they fail.

`results/cards.py` makes the file from the committed search and the records of toy2d-extended. Imports no torch.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

from pydantic import Field

from genbench.references import Value
from genbench.spec import Frozen

CARDS = Path(__file__).with_name("method_cards.json")
OFTEN = 0.9
"""The share of seeds that must capture every mode for a trainer not to be known to lose some."""

CLEAN = 0.8
"""The share of high-quality samples below which a trainer is known to leave many off the modes."""

SPREAD = (0.5, 2.0)
"""Modes less or more spread than so many times the truth are known to be shrunken or blurred."""


class Searched(Frozen):
    """What the defaults were chosen from: so many settings of the parameters `over`, the best scoring `score`."""

    tries: int = Field(ge=1)
    over: dict[str, tuple[Value, ...]]
    best: dict[str, Value]
    score: float

    def __str__(self) -> str:
        tried = "; ".join(f"{name} {_listed(values)}" for name, values in self.over.items())
        best = ", ".join(f"{name}={value}" for name, value in self.best.items())
        return f"{self.tries} settings of {tried}. Best: {best}, with {self.score:.2f} of modes × hq."


class Ending(Frozen):
    """How seeds ended on a dataset: of `total` modes the least, the middle and the most that were captured.

    `covered` seeds captured them all, `emptied` ones left some without a single high-quality sample. Medians are of
    seeds; None where the dataset has no such thing.
    """

    dataset: str
    seeds: int
    failed: int = 0
    total: int | None = None
    covered: int | None = None
    emptied: int | None = None
    modes: tuple[float, float, float] | None = None
    hq: float | None = None
    std_ratio: float | None = None
    arc_coverage: float | None = None

    def __str__(self) -> str:
        said = []
        if self.modes is not None and self.total is not None:
            least, middle, most = self.modes
            captured = f"{middle:g} ({least:g} to {most:g})" if least != most else f"{middle:g}"
            seeds = f"{self.covered} of {self.seeds} seeds" if self.covered else "no seed"
            empty = f", some empty in {self.emptied}" if self.emptied else ""
            said.append(f"{captured} of {self.total} modes, all in {seeds}{empty}")
        said += [f"hq {self.hq:.2f}"] if self.hq is not None else []
        said += [f"std ratio {self.std_ratio:.2f}"] if self.std_ratio is not None else []
        said += [f"{self.arc_coverage:.3g} of the arc"] if self.arc_coverage is not None else []
        said += [f"{self.failed} of {self.seeds} seeds failed"] if self.failed else []
        return ", ".join(said)

    @property
    def covered_share(self) -> float:
        """The share of seeds that captured every mode."""
        return (self.covered or 0) / self.seeds

    @property
    def collapses(self) -> bool:
        """Whether most seeds left some mode without a single high-quality sample."""
        return 2 * (self.emptied or 0) > self.seeds

    @property
    def failures(self) -> tuple[str, ...]:
        """What goes wrong there, in words; empty where nothing does."""
        said = ["fails to train"] if self.failed else []
        if self.covered is not None and self.covered_share < OFTEN:
            said.append("misses modes")
        if self.hq is not None and self.hq < CLEAN:
            said.append("leaves samples off the modes")
        if self.std_ratio is not None and self.std_ratio < SPREAD[0]:
            said.append("shrinks modes to less than half of their spread")
        if self.std_ratio is not None and self.std_ratio > SPREAD[1]:
            said.append("blurs modes to more than twice their spread")
        if self.arc_coverage is not None and self.arc_coverage < OFTEN:
            said.append("leaves gaps")
        return tuple(said)


class MethodCard(Frozen):
    """A trainer's card; `step_cost` is how much longer one of its generator steps takes than one of `gan`.

    Of its seeds `complete` captured every mode of both mixtures. `why` says what is behind failures, as far as it is
    known.
    """

    trainer: str
    searched: Searched | None
    step_cost: float | None
    outcomes: tuple[Ending, ...]
    complete: int
    why: str | None = None

    def on(self, dataset: str) -> Ending:
        """How its seeds ended on one of the suite's datasets."""
        return next(ending for ending in self.outcomes if ending.dataset == dataset)

    @property
    def failures(self) -> dict[str, list[str]]:
        """Each failure with the datasets that show it."""
        shown: dict[str, list[str]] = {}
        for outcome in self.outcomes:
            for failure in outcome.failures:
                shown.setdefault(failure, []).append(outcome.dataset)
        return shown


@cache
def cards() -> dict[str, MethodCard]:
    """Every card, by its trainer."""
    payload = json.loads(CARDS.read_bytes()) if CARDS.exists() else []
    return {card.trainer: card for card in map(MethodCard.model_validate, payload)}


def _listed(values: tuple[Value, ...]) -> str:
    numbers = len(values) > 2 and all(isinstance(value, int | float) for value in values)
    return f"{values[0]} to {values[-1]}" if numbers else " or ".join(map(str, values))
