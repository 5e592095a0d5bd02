"""The literature's tables, run again and held against the numbers that were printed: docs/settled.md.

Run it from the repository's root, once the suites' records are in results/reference:

    python results/settled.py
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from answers import RING_AND_GRID, of_crossed, of_meg, of_pacgan, of_r1, of_veegan
from said import Said
from tables import REFERENCE, content, marked

from genbench.report.formats.text import texts
from genbench.report.model import Table
from genbench.suites.literature import CROSSED

HERE = Path(__file__).parent
DOCUMENT = HERE.parent / "docs" / "settled.md"
NETWORKS = ("PacGAN's", "VEEGAN's", "the unrolled GAN's")
RECIPES = ("PacGAN's", "VEEGAN's")
"""What `gan-crossed` crosses, in the order of its trainers."""


class Question(NamedTuple):
    """A question, the suite that answers it, the answer as far as it goes, and tables of its own."""

    title: str
    suite: str
    answer: Callable[[], str]
    tables: Callable[[str], Iterator[str]] = lambda suite: iter(())


OPENING = """\
# Settled?

The same method has one mode in one paper and six in another, one penalty covers a grid here and fails there. This page
runs what was published again, under the networks, recipes and ways of scoring that the papers or their code state, and
holds the numbers that were printed against ours: their means, how far they are apart, whether chance alone could have
made that, and what the truth itself scores at that number of samples, which is the floor of a divergence. Where ours
was trained a fraction of the paper's time, it says so, and then it is no reproduction. `genbench show TRAINER` tells
where each recipe comes from and departs, among others in the scale of the data.

`python results/settled.py` writes this page from the committed records. `genbench run --suite NAME --out
results/reference --no-weights --keep-samples 2000` made those (16 of stacked digits), and `genbench pack
results/reference --suite NAME` one file of each suite. The papers' numbers that genbench knows of are in
[published.csv](../genbench/report/published.csv), each with the way of scoring that its source states.
"""


def crossed(suite: str) -> Iterator[str]:
    """Which change moves the modes, and what the way of scoring does."""
    yield from one_at_a_time(suite)
    yield from across_protocols(suite)


def one_at_a_time(suite: str) -> Iterator[str]:
    """What each change of the crossing does beside each level of the other factor: its effects needn't add up."""
    said = [Said(suite, dataset) for dataset in RING_AND_GRID]
    of = {networks: CROSSED[2 * i : 2 * i + 2] for i, networks in enumerate(NETWORKS)}
    yield "Modes that a GAN gains by one change, the mean over the seeds [95 % interval, Student's t, by seed]:"
    yield ""
    yield f"| | beside | {' | '.join(RING_AND_GRID)} |"
    yield f"|---|---|{'---:|' * len(said)}"
    for before, after in itertools.combinations(NETWORKS, 2):
        for i, recipe in enumerate(RECIPES):
            gains = (each.gain("modes", [of[before][i]], [of[after][i]]) for each in said)
            yield f"| networks and noise: {before} → {after} | {recipe} recipe | {' | '.join(gains)} |"
    for networks, (slower, faster) in of.items():
        gains = (each.gain("modes", [slower], [faster]) for each in said)
        yield f"| recipe: {RECIPES[0]} → {RECIPES[1]} | {networks} networks | {' | '.join(gains)} |"
    yield ""


def across_protocols(suite: str) -> Iterator[str]:
    """The same samples under every protocol of the suite: what the way of scoring alone moves."""
    for dataset in content(suite).datasets:
        tables = {name: _of(tables, dataset) for name, tables in content(suite).tables.items()}
        yield f"Modes of the same samples on {dataset}, by the way of scoring:"
        yield ""
        yield "| | " + " | ".join(tables) + " |"
        yield "|---|" + "---:|" * len(tables)
        for label in CROSSED:
            yield f"| {label} | " + " | ".join(_modes(table, label) for table in tables.values()) + " |"
        yield ""


def _of(tables: Sequence[Table], dataset: str) -> Table:
    return next(table for table in tables if table.dataset == dataset)


def _modes(table: Table, label: str) -> str:
    row = next(row for row in table.trainers if row.label == label)
    place = [column.name for column in table.columns].index("modes")
    return texts(table, row)[place].number


QUESTIONS = (
    Question("Do packed samples cover more modes?", "pacgan2018-table1", of_pacgan),
    Question("Do the rows of VEEGAN's table come out again?", "veegan2017-table1", of_veegan),
    Question("Why has a GAN one mode in VEEGAN's table and six in PacGAN's?", "gan-crossed", of_crossed, crossed),
    Question("Does R1 alone fail?", "rpgan-ablation", of_r1),
    Question("How many of a thousand modes has a WGAN-GP?", "stacked-mnist-meg", of_meg),
)


def document() -> str:
    """The whole page, with the suites that have records."""
    there = REFERENCE.suites()
    waiting = [f"- {question.title} (`{question.suite}`)" for question in QUESTIONS if question.suite not in there]
    missing = ["\n".join(["Still to be run:", "", *waiting, ""])] if waiting else []
    return "\n".join([OPENING, *missing, *(part(question) for question in QUESTIONS if question.suite in there)])


def part(question: Question) -> str:
    """A question with its answer and the tables behind it."""
    lines = [
        f"## {question.title}",
        "",
        question.answer(),
        "",
        *question.tables(question.suite),
        f"`genbench report results/reference --suite {question.suite} --format md` prints this:",
        "",
        marked(question.suite),
    ]
    return "\n".join(lines) + "\n"


def main() -> None:
    DOCUMENT.write_text(document(), encoding="utf-8")


if __name__ == "__main__":
    main()
