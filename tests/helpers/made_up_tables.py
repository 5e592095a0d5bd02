"""Tables that nobody measured, with every kind of row and cell."""

from __future__ import annotations

from typing import Any

import made_up

from genbench.report.model import Cell, Column, Published, Row, Table
from genbench.report.verdict import judged
from genbench.scoring.protocols import protocol
from genbench.spec import Budget

BUDGET = Budget.parse("steps=40")
ODD = "gan[loss=a|b] [bold]x[/bold] [/]"


def cell(name: str, *values: float, lost: int = 0) -> Cell:
    """A row's cell in the column of that name."""
    return Cell.of(dict(enumerate(values)), made_up.score(name, 1.0).higher_is_better, lost)


def cells(lost: int = 0, **values: Any) -> dict[str, Cell]:
    """A row's cells by their columns."""
    return {name: cell(name, *of, lost=lost) for name, of in values.items()}


def column(name: str) -> Column:
    score = made_up.score(name, 1.0)
    bounds = (0, None) if name in ("modes", "reverse_kl") else (None, None)
    return Column(name, score.unit, score.higher_is_better, score.identity, bounds, name == "modes")


def table(*rows: Row, notes: Any = (), columns: Any = ("modes", "reverse_kl", "std_ratio")) -> Table:
    return Table("made-up", "ring8", BUDGET, protocol("genbench1"), tuple(map(column, columns)), rows, tuple(notes))


TRAINED = Row("trainer", "gan", cells(1, modes=(7.0, 8.0, 8.0), std_ratio=(1.02,)), 3, 4, ("seed 3: crashed: ah",))
FAILED = Row(
    "trainer", "wgan", {}, 0, 2, ("wgan on ring8, seed 0: diverged: nan", "wgan on ring8, seed 1: crashed: no")
)
CONTROL = Row("control", "oracle", cells(modes=(8.0, 8.0), reverse_kl=(0.0012, 0.0014)), 2, 2)
BAND = Row("null band", "null band", {"modes": Cell(band=(8.0, 8.0)), "reverse_kl": Cell(band=(0.0003, 0.0029))})
FULL = table(TRAINED, FAILED, CONTROL, BAND, notes=["Mind the gap."])

BETTER = Row(
    "trainer",
    "wgan-gp[penalty=0.1]",
    cells(modes=(8.0, 8.0, 8.0, 7.0, 8.0), reverse_kl=(0.001, 0.002, 0.0015, 0.003, 0.0012)),
    5,
    5,
)
WORSE = Row(
    "trainer",
    "wgan",
    cells(modes=(8.0, 7.0, 8.0, 8.0, 6.0), reverse_kl=(0.2, 0.25, 0.22, 0.19, 0.3), std_ratio=(-0.5,)),
    5,
    5,
)
GAUSSIAN = Row("control", "gaussian", cells(modes=(0.0, 0.0), reverse_kl=(1.7e-05, 1.7e-05)), 2, 2)
SOURCE = "arXiv:1712.04086, table 1"
PRINTED = Row(
    "published",
    "PacGAN2",
    {
        "modes": Cell(published=Published(7.9, 0.1, "standard error")),
        "reverse_kl": Cell(published=Published(0.07, 0.03, "standard deviation")),
    },
    10,
    10,
    source=SOURCE,
)
BARE = Row("published", "GAN", {"modes": Cell(published=Published(1.0))}, source="arXiv:1705.07761, table 1")
(EVERYTHING,) = judged(
    [
        table(
            BETTER,
            WORSE,
            TRAINED,
            CONTROL,
            GAUSSIAN,
            BAND,
            PRINTED,
            BARE,
            notes=["Mind the gap: 100 % & more_or_less."],
        )
    ]
)
"""Letters, a failure, a note, all kinds of rows; an interval, a band, a spread and a single value."""
