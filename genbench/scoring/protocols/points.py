"""The protocols for points: genbench's own, and those of the literature's toys."""

from __future__ import annotations

import re
from dataclasses import replace

from genbench.scoring.protocols.base import Protocol

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
        "offset": "offset",
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
    headline=("modes", "modes_any", "hq", "std_ratio", "offset", "reverse_kl", "arc_coverage", "curve_distance", "w2"),
    deciding=("reverse_kl",),
    curve=("modes", "modes_any", "hq", "reverse_kl", "arc_coverage", "curve_distance", "sliced_w2"),
)

PACGAN2018 = Protocol(
    name="pacgan2018",
    version=1,
    n=2_500,
    source="arXiv:1712.04086",
    columns={"modes": "modes[rule=any]", "hq": "hq", "reverse_kl": "reverse_kl[junk=false]"},
    headline=("modes", "hq", "reverse_kl"),
    deciding=("reverse_kl",),
)

VEEGAN2017 = Protocol(
    name="veegan2017",
    version=1,
    n=2_500,
    source="arXiv:1705.07761",
    columns={"modes": "modes[rule=any]", "hq": "hq", "reverse_kl": "reverse_kl[junk=false]"},
    headline=("modes", "hq", "reverse_kl"),
    deciding=("reverse_kl",),
)

SMOKE = replace(
    GENBENCH1,
    name="smoke",
    n=1_000,
    columns={name: re.sub(r"n=\d+", "n=500", reference) for name, reference in GENBENCH1.columns.items()},
)
"""genbench1 on a tenth of the samples: quick, for trying things out, and never comparable with it."""
