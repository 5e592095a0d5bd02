"""Answers to what the literature leaves open, as far as the records go: what docs/settled.md says above its tables."""

from __future__ import annotations

import itertools

from said import Said, filled, most, short, spelled, unsigned

from genbench.stats.intervals import median
from genbench.suites.literature import ABLATION, CROSSED, OTHERWISE, PACGAN, VEEGAN, stacked_mnist_meg

RING_AND_GRID = ("ring8", "grid25")


def of_pacgan() -> str:
    """Whether packed samples cover more modes."""
    ring, grid = (Said("pacgan2018-table1", dataset) for dataset in RING_AND_GRID)
    ours_ring, ours_grid = (Said("pacgan2018-table1", dataset, "genbench1") for dataset in RING_AND_GRID)
    gan, *packs = PACGAN
    two, three, four = packs
    beside = [(gan, pack) for pack in packs]
    among = [*itertools.combinations(packs, 2)]
    behind = [(gan, four), (two, four)]
    return filled(f"""
After 4 000 steps, a hundredth of the paper's, the order GAN < PacGAN2 ≤ PacGAN3, PacGAN4 is half shown on the grid, and
on the ring refuted at this budget.

- **On the grid** packs of two, three and four capture more of the 25 modes than a GAN, {grid.middle(two, "modes")},
  {grid.middle(three, "modes")} and {grid.middle(four, "modes")} for {grid.middle(gan, "modes")}, and have a lower
  reverse KL, {grid.middle(two, "reverse_kl")}, {grid.middle(three, "reverse_kl")} and
  {grid.middle(four, "reverse_kl")} for {grid.middle(gan, "reverse_kl")} ({grid.most_p("reverse_kl", beside)} each, ten
  seeds). Among themselves nothing can be told ({grid.least_p("reverse_kl", among)}). But none of these samples is near
  a mode by more than chance: {grid.middle(four, "hq")} are of high quality, and {grid.middle("noise", "hq")} of uniform
  noise, which has {grid.middle("noise", "modes")} modes and a reverse KL of {grid.middle("noise", "reverse_kl")} by
  this
  rule. By genbench's rule no seed of any has more than {most(ours_grid.values(label, "modes") for label in PACGAN)}
  modes.
- **On the ring** a GAN and PacGAN2 have all 8 modes in every seed, and in reverse KL they
  can't be told apart ({ring.middle(gan, "reverse_kl")} and {ring.middle(two, "reverse_kl")},
  p = {short(ring.p("reverse_kl", gan, two))}). PacGAN4 has fewer modes, {ring.spread(four, "modes")}, and a higher
  reverse KL, {ring.middle(four, "reverse_kl")}, than both ({ring.most_p("modes", behind)} and
  {ring.most_p("reverse_kl", behind)}). Of high quality are {ring.middle(gan, "hq")}, {ring.middle(two, "hq")},
  {ring.middle(three, "hq")} and {ring.middle(four, "hq")} of the samples of packs of one to four.
- **On both** packing spreads the samples out: W2 falls from {ours_grid.middle(gan, "w2")} of a GAN to
  {ours_grid.middle(two, "w2")} of PacGAN2 on the grid ({ours_grid.most_p("w2", beside)} for each pack) and from
  {ours_ring.middle(gan, "w2")} to {ours_ring.middle(two, "w2")} on the ring ({ours_ring.most_p("w2", beside)}).

The paper's GAN, with a hundred times the steps, has {ring.printed("GAN", "modes")} modes of the ring and
{ring.printed("GAN", "hq")} of its samples of high quality, ours all 8 and {ring.middle(gan, "hq")}. Whether it
would lose
modes in the steps that it lacks, this doesn't say. ALI, a row of both papers' tables, has no recipe here and is in
neither suite; with genbench's defaults it is in [toy2d-extended](methods.md#ali).

{pictures("pacgan2018-table1", "the four on both targets")}
""")


def of_veegan() -> str:
    """Whether the rows of VEEGAN's table come out again."""
    ring, grid = (Said("veegan2017-table1", dataset) for dataset in RING_AND_GRID)
    ours_ring, ours_grid = (Said("veegan2017-table1", dataset, "genbench1") for dataset in RING_AND_GRID)
    gan, unrolled, veegan = VEEGAN
    other_gan, other_veegan = OTHERWISE

    def counted(label: str) -> str:
        return f"{ring.mean(label, 'modes')} modes of the ring and {grid.mean(label, 'modes')} of the grid"

    def there(method: str) -> str:
        return f"{ring.printed(method, 'modes')} and {grid.printed(method, 'modes')}"

    return filled(f"""
Some counts of modes do, and next to no shares of samples of high quality, after 4 000 steps, a 25th of what VEEGAN's
code trains and a sixth of the
unrolled
GAN's. All are means of ten seeds by the table's rule.

- **The unrolled GAN** has {counted(unrolled)}, there {there("Unrolled GAN")}: the ring's may agree, the grid's falls
  short.
- **The GAN** has {counted(gan)}, there {there("GAN")}, which can't be told apart. But its one mode isn't the
  table's, in
  which {ring.printed("GAN", "hq")} of the samples lie: here {ring.mean(gan, "hq")} do. It is a cloud that touches a
  mode, and further from the ring than uniform noise (W2 of {ours_ring.middle(gan, "w2")}, noise
  {ours_ring.middle("noise", "w2")}).
- **VEEGAN** has {counted(veegan)}, there {there("VEEGAN")}, and falls short of both. Of its samples
  {ring.mean(veegan, "hq")} and {grid.mean(veegan, "hq")} are of high quality, where {ring.printed("VEEGAN", "hq")} and
  {grid.printed("VEEGAN", "hq")} are printed and noise has {ring.middle("noise", "hq")} and
  {grid.middle("noise", "hq")}.

**First weights and a single layer move these rows further than the two methods differ.** With torch's weights instead
of Glorot's, and two hidden layers in the discriminator instead of one, all else equal, VEEGAN has
{counted(other_veegan)}, and the GAN {counted(other_gan)}.

And these modes say little. One counts when a single one of 2 500 samples lies within three stds of it. Uniform noise
has {grid.middle("noise", "modes")} of the 25 that way and {ring.middle("noise", "modes")} of the 8, and by the
median of
its draws a reverse KL of {grid.middle("noise", "reverse_kl")} on the grid, where the unrolled GAN has
{grid.middle(unrolled, "reverse_kl")}, VEEGAN {grid.middle(veegan, "reverse_kl")} and the GAN
{grid.middle(gan, "reverse_kl")}. Under genbench's rule, which asks for a fifth of a mode's fair share, no seed of
the three
has more than {most(ours_grid.values(label, "modes") for label in VEEGAN)} of the 25 modes, and of the ring's 8 the
unrolled
GAN has {ours_ring.spread(unrolled, "modes")}, VEEGAN {ours_ring.spread(veegan, "modes")} and the GAN
{ours_ring.spread(gan, "modes")}. What no suite asks yet is whether the scale of the data matters, which in VEEGAN's
code
are 2.8 times as large.

{pictures("veegan2017-table1", "the five on both targets")}
""")


def of_crossed() -> str:
    """Why a GAN's rows differ between two papers."""
    ring, grid = (Said("gan-crossed", dataset) for dataset in RING_AND_GRID)
    ours_ring, ours_grid = (Said("gan-crossed", dataset, "genbench1") for dataset in RING_AND_GRID)
    pacgans, pacgans_faster, veegans_slower, veegans, metzs_slower, metzs = CROSSED

    def apart(dataset: str) -> str:
        """By how many modes the GAN of PacGAN's table is ahead of that of VEEGAN's, in their own suites' ten seeds."""
        theirs, other = Said("pacgan2018-table1", dataset), Said("veegan2017-table1", dataset)
        return spelled(theirs.gained("modes", [veegans], [pacgans], other), unsigned)

    def ahead(said: Said, more: str, less: str) -> str:
        return spelled(said.gained("modes", [less], [more]), unsigned)

    return filled(f"""
It has fewer modes with VEEGAN's networks and their noise of 254 dimensions than with PacGAN's and their two: by
{apart("ring8")} of the ring's and {apart("grid25")} of the grid's, each under its own recipe and its own table's
rule, in
the ten seeds that the two suites above share. Why VEEGAN's table has a single sharp mode, this doesn't explain. The
crossing has three papers' networks, each with its noise, two recipes (PacGAN's batch of 100, rate of 1e-4 and β₁ of .8;
VEEGAN's 500, 1e-3 and .5), five seeds of each (`--seeds 0-4`), and 4 000 steps, a hundredth of PacGAN's and a 25th of
VEEGAN's.

- **Scoring** parts neither row from the other: both papers' rules count the same modes of the same samples. genbench's,
  which asks for a fifth of a fair share, leaves {ours_ring.spread(pacgans, "modes")} of the ring's modes to PacGAN's
  GAN and none to VEEGAN's, and of the grid's at most
  {most(ours_grid.values(label, "modes") for label in (pacgans, veegans))} to either.
- **Networks and noise**: PacGAN's have {ahead(ring, pacgans, veegans_slower)} more modes of the ring than VEEGAN's and
  {ahead(grid, pacgans, veegans_slower)} of the grid's under PacGAN's recipe, and
  {ahead(ring, pacgans_faster, veegans)} and {ahead(grid, pacgans_faster, veegans)} under VEEGAN's, where one seed
  of five
  has all 8 of the ring's. Noise of 254 dimensions alone needn't cost modes, though nothing here changes it alone: the
  unrolled GAN's networks have as much, differ from VEEGAN's in one hidden layer of the discriminator, in first weights
  and activations, and have {ahead(ring, metzs_slower, veegans_slower)}
  and {ahead(ring, metzs, veegans)} modes of the ring more, {ahead(grid, metzs_slower, veegans_slower)} and
  {ahead(grid, metzs, veegans)} of the grid's.
- **Recipe**: what it does depends on the networks. From PacGAN's to VEEGAN's, PacGAN's networks lose
  {ahead(ring, pacgans, pacgans_faster)} modes of the ring and gain {ahead(grid, pacgans_faster, pacgans)} of the
  grid's,
  the unrolled GAN's gain {ahead(ring, metzs, metzs_slower)} of the ring's, and of VEEGAN's nothing can be told. It
  moves
  quality further: of the unrolled GAN's samples of the ring {ring.middle(metzs_slower, "hq")} are of high quality under
  PacGAN's recipe and {ring.middle(metzs, "hq")} under VEEGAN's.

VEEGAN's table prints {ring.printed("GAN", "modes")} mode with {ring.printed("GAN", "hq")} of the samples of high
quality.
Here it is a cloud beside the ring that touches one, with {ring.middle(veegans, "hq")}, where noise has
{ring.middle("noise", "hq")}. What its GAN was made of the paper doesn't tell: these are its code's networks without the
reconstructor, with a discriminator that sees x alone and the non-saturating loss. What isn't crossed is the length of
training and the scale of the data.

{pictures("gan-crossed", "the six on both targets")}
""")


def of_meg() -> str:
    """How many of a thousand modes a WGAN-GP has under MEG's protocol."""
    said = Said("stacked-mnist-meg", "stacked-mnist-fixed")
    (ours,) = stacked_mnist_meg().trainers
    folder = "../results/reference/report/stacked-mnist-meg"

    def beside(column: str) -> str:
        """Whether every seed lies on one side of what is printed of a single run."""
        printed, values = float(said.printed("WGAN-GP", column)), said.values(ours, column)
        return "ours more" if min(values) > printed else "ours less" if max(values) < printed else "can't be told"

    return filled(f"""
More than are printed, with less. MEG's protocol is the only one of stacked MNIST that is stated whole: 128 000 fixed
stacks, 26 000 samples, its classifier, a mode for every sample. Under it a WGAN-GP of its recipe has
{said.spread(ours, "modes")} of 1 000 modes in three seeds and a reverse KL of {said.spread(ours, "reverse_kl")}, after
2 000 steps, a fiftieth of the paper's, with networks an eighth as wide and ten times the rate.
{said.printed("WGAN-GP", "modes")} and {said.printed("WGAN-GP", "reverse_kl")} are printed. That reproduces nothing,
since five things differ, width, steps and rate, the penalty, which in MEG's code is of each pixel's slope, and who
learns first, but the printed row isn't the best that a WGAN-GP can do; `stacked-mnist-meg-paper` has the paper's
width, steps and rate, for a GPU.

| | published | ours, three seeds | agrees? |
|---|---:|---:|---|
| modes | {said.printed("WGAN-GP", "modes")} | {said.spread(ours, "modes")} | {beside("modes")} |
| reverse KL | {said.printed("WGAN-GP", "reverse_kl")} | {said.spread(ours, "reverse_kl")} | {beside("reverse_kl")} |

 A mode says little here too: uniform noise has {said.middle("noise", "modes")}. The truth scores a reverse KL of
{said.middle("oracle", "reverse_kl")}, the floor at that number of samples, beside which MEG's own
{said.printed("EnGAN (MEG)", "reverse_kl")} stands.

![Final samples beside real stacks]({folder}/samples-stacked-mnist-fixed.png)

Along training: [metrics]({folder}/curves-stacked-mnist-fixed.png) and
[samples]({folder}/strip-stacked-mnist-fixed.png).
""")


def of_r1() -> str:
    """Whether R1 alone fails."""
    grid, many = Said("rpgan-ablation", "grid25"), Said("rpgan-ablation", "grid100")
    plain, gan_r1, gan_both, paired, rpgan_r1, rpgan_both = ABLATION
    without, alone, penalised = (plain, paired), (gan_r1, rpgan_r1), (gan_r1, gan_both, rpgan_r1, rpgan_both)

    def whole(label: str) -> int:
        return grid.having(label, "modes", 25)

    def between(column: str, labels: tuple[str, ...]) -> str:
        middles = [median(many.values(label, column)) for label in labels]
        return f"{short(min(middles))} to {short(max(middles))}"

    return filled(f"""
On 25 Gaussians it doesn't. With R1 alone {whole(gan_r1)} and {whole(rpgan_r1)} of ten seeds hold all 25 modes, of a
plain
GAN and of RpGAN, with R1 and R2 {whole(gan_both)} and {whole(rpgan_both)}. Without a penalty no seed of either has more
than {most(grid.values(label, "modes") for label in without)}, and pairing real with generated samples changes them by
{grid.gain("modes", [plain], [paired])}. So R1 is enough to cover this grid, with these networks, in this time, and at a
rate that was searched for with both penalties. Whether R2 is by itself wasn't tried. (The same ten seeds of `rpgan` on
another kind of processor, in [toy2d-extended](methods.md), have all 25 in nine.) Of GAN and RpGAN with R1 and R2 a
textbook chapter of 2026 tells 25 of 25 modes in every seed, which agrees. A public study with a single seed tells 5
of 25
of RpGAN with both and 25 of RpGAN with neither; here it is the other way about. Neither has an identifier to cite, so
they are no rows of published.csv.

A hundred Gaussians are beyond all six in 6 000 steps, and nothing is settled there. R1 brings samples to
{spelled(many.gained("modes_any", without, alone), unsigned)} modes more, and to a W2 of {between("w2", penalised)}
where
{between("w2", without)} are without a penalty and the truth has {many.middle("oracle", "w2")}; but fewer modes have
their
share of sharp ones, by {spelled(many.gained("modes", alone, without), unsigned)}. The failure that arXiv:2501.05441
prints, table 1, is one of stacked MNIST with a small residual network, which has yet to be run here.

![Samples of the six on both grids](../results/reference/report/rpgan-ablation/landscapes.png)
""")


def pictures(suite: str, whose: str) -> str:
    """A suite's samples, and where its curves and strips on the ring and the grid are, as Markdown."""
    folder = f"../results/reference/report/{suite}"
    return f"""\
![Samples of {whose}]({folder}/landscapes.png)

Along training: metrics on [ring8]({folder}/curves-ring8.png) and [grid25]({folder}/curves-grid25.png), samples on
[ring8]({folder}/strip-ring8.png) and [grid25]({folder}/strip-grid25.png)."""
