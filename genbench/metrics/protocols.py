"""Protocols: named, versioned ways of scoring. Values of different protocols never share a column."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

from genbench.errors import UnknownName


@dataclass(frozen=True)
class Protocol:
    """Which metrics score how many samples.

    `columns` maps a column's name to the reference of its metric; a metric with a parameter `n` of its own looks at
    that many of the first samples, any other at all `n`. `headline` are the columns of a printed table, where the
    dataset has them; `curve` those that are cheap enough for every checkpoint.
    """

    name: str
    version: int
    n: int
    source: str
    columns: Mapping[str, str]
    headline: tuple[str, ...]
    curve: tuple[str, ...] = ()


GENBENCH1 = Protocol(
    name="genbench1",
    version=1,
    n=10_000,
    source="genbench",
    columns={
        "modes": "modes[rule=fair]",
        "modes_any": "modes[rule=any]",
        "hq": "hq",
        "reverse_kl": "reverse_kl[junk=true]",
        "jsd": "jsd",
        "std_ratio": "std_ratio",
        "arc_coverage": "arc_coverage",
        "curve_distance": "curve_distance",
        "w2": "w2[n=2000]",
        "sliced_w2": "sliced_w2[n=10000]",
        "mmd": "mmd[n=2000]",
        "precision": "precision[n=5000]",
        "recall": "recall[n=5000]",
        "density": "density[n=5000]",
        "coverage": "coverage[n=5000]",
        "cross_entropy": "cross_entropy",
    },
    headline=("modes", "modes_any", "hq", "std_ratio", "reverse_kl", "arc_coverage", "curve_distance", "w2"),
    curve=("modes", "modes_any", "hq", "reverse_kl", "arc_coverage", "curve_distance", "sliced_w2"),
)

PACGAN2018 = Protocol(
    name="pacgan2018",
    version=1,
    n=2_500,
    source="arXiv:1712.04086",
    columns={"modes": "modes[rule=any]", "hq": "hq", "reverse_kl": "reverse_kl[junk=false]"},
    headline=("modes", "hq", "reverse_kl"),
)

VEEGAN2017 = Protocol(
    name="veegan2017",
    version=1,
    n=2_500,
    source="arXiv:1705.07761",
    columns={"modes": "modes[rule=any]", "hq": "hq", "reverse_kl": "reverse_kl[junk=false]"},
    headline=("modes", "hq", "reverse_kl"),
)

SMOKE = replace(
    GENBENCH1,
    name="smoke",
    n=1_000,
    columns={name: re.sub(r"n=\d+", "n=500", reference) for name, reference in GENBENCH1.columns.items()},
)
"""genbench1 on a tenth of the samples: quick, for trying things out, and never comparable with it."""

PROTOCOLS = {protocol.name: protocol for protocol in (GENBENCH1, PACGAN2018, VEEGAN2017, SMOKE)}


def protocol(name: str) -> Protocol:
    """The protocol of that name; raises UnknownName."""
    if name not in PROTOCOLS:
        raise UnknownName("protocol", name, PROTOCOLS)
    return PROTOCOLS[name]
