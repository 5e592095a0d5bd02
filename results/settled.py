"""The literature's tables, run again and held against the numbers that were printed: docs/settled.md.

Run it from the repository's root, once the suites' records are in results/reference:

    python results/settled.py
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from said import Said, filled, most, short
from tables import REFERENCE, content, marked

from genbench.report.formats.text import texts
from genbench.report.model import Table
from genbench.stats.intervals import median
from genbench.suites.literature import ABLATION, CROSSED, PACGAN, VEEGAN

HERE = Path(__file__).parent
DOCUMENT = HERE.parent / "docs" / "settled.md"
RING_AND_GRID = ("ring8", "grid25")
NETWORKS = ("PacGAN's", "VEEGAN's", "the unrolled GAN's")
RECIPES = ("PacGAN's", "VEEGAN's")
"""What `gan-crossed` crosses, in the order of its trainers."""


class Question(NamedTuple):
    """A question, the suite that answers it, and the answer as far as it goes."""

    title: str
    suite: str
    answer: Callable[[], str]


OPENING = """\
# Settled?

The same method has one mode in one paper and six in another, one penalty covers a grid here and fails there. This page
runs what was published again, under the networks, recipes and ways of scoring that the papers or their code state, and
holds the numbers that were printed against ours: their means, how far they are apart, whether chance alone could have
made that, and what the truth itself scores at that number of samples, which is the floor of a divergence. Where ours
was trained a fraction of the paper's time, it says so, and then it is no reproduction. `genbench show TRAINER` tells
where each recipe comes from and departs, among others in the scale of the data.

`python results/settled.py` writes this page from the committed records. `genbench run --suite NAME --out
results/reference --no-weights --keep-samples 2000` made those, and `genbench pack results/reference --suite NAME` one
file of each suite. The papers' numbers that genbench knows of are in
[published.csv](../genbench/report/published.csv), each with the way of scoring that its source states.
"""


def along_training(suite: str) -> str:
    """Where a suite's curves and strips on the ring and the grid are, as Markdown."""
    folder = f"../results/reference/report/{suite}"
    return f"""\
Along training: metrics on [ring8]({folder}/curves-ring8.png) and
[grid25]({folder}/curves-grid25.png), samples on
[ring8]({folder}/strip-ring8.png) and
[grid25]({folder}/strip-grid25.png)."""


def of_pacgan() -> str:
    """Whether packed samples cover more modes."""
    ring, grid = (Said("pacgan2018-table1", dataset) for dataset in RING_AND_GRID)
    ours = Said("pacgan2018-table1", "grid25", "genbench1")
    gan, *packs = PACGAN
    two, three, four = packs
    on_grid = [(gan, pack) for pack in packs]
    among = [*itertools.combinations(packs, 2)]
    others = [(gan, four), (two, four)]
    return f"""\
After 4 000 steps, a hundredth of the paper's, the order GAN < PacGAN2 ≤ PacGAN3, PacGAN4 is half shown on the grid and
refuted on the ring.

- **On the grid** packs of two, three and four capture more of the 25 modes than a GAN, {grid.middle(two, "modes")},
  {grid.middle(three, "modes")} and {grid.middle(four, "modes")} for {grid.middle(gan, "modes")}, and have a
  lower reverse
  KL, {grid.middle(two, "reverse_kl")}, {grid.middle(three, "reverse_kl")} and {grid.middle(four, "reverse_kl")} for
  {grid.middle(gan, "reverse_kl")} ({grid.most_p("reverse_kl", on_grid)} each, ten seeds). Among themselves nothing can
  be told ({grid.least_p("reverse_kl", among)}). But none of these samples is near good: about
  {grid.middle(four, "hq")} are of high quality, as of uniform noise, which has {grid.middle("noise", "modes")}
  modes and
  a reverse KL of {grid.middle("noise", "reverse_kl")} by this rule; by genbench's rule no seed of any has more than
  {most(ours.values(label, "modes") for label in PACGAN)} modes. What packing gains here is that samples lie everywhere:
  W2 falls from {ours.middle(gan, "w2")} to {ours.middle(two, "w2")} ({ours.most_p("w2", on_grid)}).
- **On the ring** a GAN and PacGAN2 have all 8 modes in every seed, and in reverse KL they can't be told apart
  ({ring.middle(gan, "reverse_kl")} and {ring.middle(two, "reverse_kl")}, p = {short(ring.p("reverse_kl", gan, two))}).
  PacGAN4 has fewer modes, {ring.spread(four, "modes")}, and a higher reverse KL,
  {ring.middle(four, "reverse_kl")}, than
  both ({ring.most_p("modes", others)}, {ring.most_p("reverse_kl", others)}). Of high quality are
  {ring.middle(gan, "hq")}, {ring.middle(two, "hq")}, {ring.middle(three, "hq")} and {ring.middle(four, "hq")} of the
  samples of packs of one to four: packs of three and four are behind after this time.

The paper's GAN, with a hundred times the steps, has 6.3 modes of the ring and .98 of its samples of high quality, ours
all 8 and {ring.middle(gan, "hq")}. Whether it would lose modes in the steps that it lacks, this doesn't say. ALI, a row
of both papers' tables, has no recipe here and is in neither suite; with genbench's defaults it is in
[toy2d-extended](methods.md#ali).

![Samples of the four on both targets](../results/reference/report/pacgan2018-table1/landscapes.png)

{along_training("pacgan2018-table1")}"""


def of_veegan() -> str:
    """Whether the rows of VEEGAN's table come out again."""
    ring, grid = (Said("veegan2017-table1", dataset) for dataset in RING_AND_GRID)
    ours_ring, ours_grid = (Said("veegan2017-table1", dataset, "genbench1") for dataset in RING_AND_GRID)
    gan, unrolled, veegan = VEEGAN
    return f"""\
By their modes the GAN's and the unrolled GAN's do, and VEEGAN's doesn't, after 4 000 steps, a 25th of what VEEGAN's
code
trains and a sixth of the unrolled GAN's. The mean of ten seeds is {ring.mean(gan, "modes")} modes of the ring and
{grid.mean(gan, "modes")} of the grid for a GAN, where the table has 1 and 3.3, {ring.mean(unrolled, "modes")} and
{grid.mean(unrolled, "modes")} for the unrolled GAN, there 7.6 and 23.6, and {ring.mean(veegan, "modes")} and
{grid.mean(veegan, "modes")} for VEEGAN, there 8 and 24.6. By the quality of samples hardly any does: of high
quality are
{ring.mean(gan, "hq")}, {ring.mean(unrolled, "hq")} and {ring.mean(veegan, "hq")} of the ring's samples, where .99, .36
and .53 are printed, and {grid.mean(gan, "hq")}, {grid.mean(unrolled, "hq")} and {grid.mean(veegan, "hq")} of the
grid's, where .005, .16 and .40 are.

But those modes say little. One counts there when a single one of 2 500 samples lies within three stds of it. Uniform
noise has {grid.middle("noise", "modes")} of the 25 modes that way and {ring.middle("noise", "modes")} of the 8, and a
reverse KL of {grid.middle("noise", "reverse_kl")} on the grid, where the unrolled GAN has
{grid.middle(unrolled, "reverse_kl")}, VEEGAN {grid.middle(veegan, "reverse_kl")} and the GAN
{grid.middle(gan, "reverse_kl")}. Under genbench's rule, which asks for a fifth of a mode's fair share, no seed of
any of
the three has more than {most(ours_grid.values(label, "modes") for label in VEEGAN)} of the 25 modes, and of the
ring's 8
the unrolled GAN has {ours_ring.spread(unrolled, "modes")}, VEEGAN {ours_ring.spread(veegan, "modes")} and the GAN
{ours_ring.spread(gan, "modes")}. What no suite asks yet is whether the scale of the data matters, which in VEEGAN's
code
are 2.8 times as large. Why a GAN has so few modes here and more in PacGAN's table is the next question.

![Samples of the three on both targets](../results/reference/report/veegan2017-table1/landscapes.png)

{along_training("veegan2017-table1")}"""


def of_crossed() -> str:
    """Why a GAN's rows differ between two papers."""
    ring, grid = (Said("gan-crossed", dataset) for dataset in RING_AND_GRID)
    ours_ring, ours_grid = (Said("gan-crossed", dataset, "genbench1") for dataset in RING_AND_GRID)
    pacgans, pacgans_faster, veegans_slower, veegans, *_ = CROSSED
    lone = ring.having(veegans, "modes", 1)
    return f"""\
Because of its networks. Under VEEGAN's own recipe its networks leave a GAN one mode of the ring in {lone} of five seeds
and {grid.spread(veegans, "modes")} of the grid's, where its table has 1 and 3.3; PacGAN's networks under PacGAN's
recipe
have {ring.spread(pacgans, "modes")} and {grid.spread(pacgans, "modes")}, where its table has 6.3 and 17.3. Three
papers' networks, two recipes (PacGAN's batch of 100, rate of 1e-4 and β₁ of .8; VEEGAN's 500, 1e-3 and .5), five seeds
of each (`--seeds 0-4`), 4 000 steps, which is a hundredth of PacGAN's and a 25th of VEEGAN's.

- **Scoring** parts neither row from the other: both papers' rules count the same modes of the same samples, one of
  2 500 within three stds. genbench's, which asks for a fifth of a fair share, leaves
  {ours_ring.spread(pacgans, "modes")} of the ring's modes to PacGAN's GAN and none of them to VEEGAN's, and of the grid
  at most {most(ours_grid.values(label, "modes") for label in (pacgans, veegans))} to either.
- **Networks**: from PacGAN's to VEEGAN's, with the recipe as it was, a GAN loses
  {ring.more("modes", [pacgans], [veegans_slower])} of the ring's modes under PacGAN's recipe and
  {ring.more("modes", [pacgans_faster], [veegans])} under VEEGAN's. The unrolled GAN's, which differ from
  VEEGAN's in a hidden layer of the discriminator, in their first weights and in their activations alone, have most of
  them back.
- **Recipe**: from PacGAN's to VEEGAN's it changes little with VEEGAN's networks. PacGAN's networks lose
  {ring.more("modes", [pacgans], [pacgans_faster])} of the ring's modes by it and gain
  {grid.more("modes", [pacgans_faster], [pacgans])} of the grid's, where its slower recipe is far from done
  after a hundredth of its time.

The single mode is no sharp one, though, as VEEGAN's table has it (.99 of high quality there):
{ring.middle(veegans, "hq")} of the samples lie within three stds of it. What VEEGAN's GAN was made of, its paper
doesn't
tell; these are its code's networks without the reconstructor. What isn't crossed is the length of training and the
scale of the data.

![Samples of the six on both targets](../results/reference/report/gan-crossed/landscapes.png)

{along_training("gan-crossed")}"""


def of_r1() -> str:
    """Whether R1 alone fails."""
    grid, many = Said("rpgan-ablation", "grid25"), Said("rpgan-ablation", "grid100")
    plain, gan_r1, gan_both, paired, rpgan_r1, rpgan_both = ABLATION
    penalised = (gan_r1, gan_both, rpgan_r1, rpgan_both)

    def whole(label: str) -> int:
        return grid.having(label, "modes", 25)

    around = [median(many.values(label, "modes_any")) for label in penalised]
    return f"""\
On 25 Gaussians it doesn't. With R1 alone {whole(gan_r1)} and {whole(rpgan_r1)} of ten seeds hold all 25 modes, of a
plain GAN and of RpGAN, with R1 and R2 {whole(gan_both)} and {whole(rpgan_both)}. Without a penalty no seed of either
has more than {most(grid.values(label, "modes") for label in (plain, paired))}, and pairing real with generated samples
changes them by {grid.gain("modes", [plain], [paired])}: R1 is enough to cover this grid, with
these networks, in this time, and at a rate that was searched for with both penalties. Whether R2 is by itself wasn't
tried. (The same ten seeds of `rpgan` on another kind of processor, in [toy2d-extended](methods.md), have all 25 in
nine.) Of GAN and RpGAN with R1 and R2 a textbook chapter of 2026 tells 25 of 25 modes in every seed, which agrees. A
public study with a single seed tells 5 of 25 of RpGAN with both and 25 of RpGAN with neither; here it is the other way
about. Neither has an identifier to cite, so they are no rows of published.csv.

A hundred Gaussians are beyond all six in 6 000 steps, and nothing is settled there: those with a penalty have samples
around {short(min(around))} to {short(max(around))} of the modes, as uniform noise has
({many.middle("noise", "modes_any")}), and R1 costs {many.more("modes", [plain, paired], [gan_r1, rpgan_r1])} of those
that count. The failure that arXiv:2501.05441 prints, table 1, is one of stacked MNIST with a small residual network,
which has yet to be run here.

![Samples of the six on both grids](../results/reference/report/rpgan-ablation/landscapes.png)"""


QUESTIONS = (
    Question("Do packed samples cover more modes?", "pacgan2018-table1", of_pacgan),
    Question("Do the rows of VEEGAN's table come out again?", "veegan2017-table1", of_veegan),
    Question("Why has a GAN one mode in VEEGAN's table and six in PacGAN's?", "gan-crossed", of_crossed),
    Question("Does R1 alone fail?", "rpgan-ablation", of_r1),
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
        filled(question.answer()),
        "",
        *(
            (*one_at_a_time(question.suite), *across_protocols(question.suite))
            if question.suite == "gan-crossed"
            else ()
        ),
        f"`genbench report results/reference --suite {question.suite} --format md` prints this:",
        "",
        marked(question.suite),
    ]
    return "\n".join(lines) + "\n"


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
            yield f"| networks: {before} → {after} | {recipe} recipe | {' | '.join(gains)} |"
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


def main() -> None:
    DOCUMENT.write_text(document(), encoding="utf-8")


if __name__ == "__main__":
    main()
