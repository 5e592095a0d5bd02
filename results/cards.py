"""What was measured of the trainers that come with genbench, from the committed search and toy2d-extended's records.

Run it from the repository's root; it writes genbench/report/method_cards.json, which `genbench show` reads,
docs/methods.md, and the README's answer between its marks:

    python results/cards.py
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from said import Said, filled, most, short
from tables import content, marked

from genbench.records.layout import slug
from genbench.references import Reference, Value
from genbench.registry import trainers
from genbench.report.formats import number
from genbench.report.method_cards import CARDS, OFTEN, Ending, MethodCard, Searched
from genbench.report.model import Row, Table
from genbench.report.sentence import listed
from genbench.report.verdict import ORACLE
from genbench.stats.intervals import median

HERE = Path(__file__).parent
DOCUMENT = HERE.parent / "docs" / "methods.md"
README = HERE.parent / "README.md"
SUITE = "toy2d-extended"
FIRST = "gan"
TIMED = "ring8"
"""Whose trials give a step's cost."""

GRIDS = ("ring8", "grid25")
"""The mixtures by which trainers are said to capture every mode or to collapse."""

WHY = {
    "gan": "On ring8 the mass leaves: a missed mode, which held its share early on, ends with under two samples of a "
    "hundred nearest to it, where twelve were fair.",
    "lsgan": "On ring8 the mass leaves: a missed mode, which held its share early on, ends with under four samples of "
    "a hundred nearest to it, where twelve were fair.",
    "sngan": "On ring8, in three seeds of ten, one mode has its share of the samples, but nearly all of them lie more "
    "than three stds beside its centre.",
    "pacgan": "On ring8, in two seeds of ten, the mass leaves as it does with gan: two and five modes end with under "
    "two samples of a hundred nearest to them.",
    "unrolled": "On ring8, in five seeds of ten, two to seven neighbouring modes are lost, in four of them to the last "
    "sample. The search's two seeds had every mode.",
    "veegan": "On ring8, in eight seeds of ten, one to five modes hold a fortieth of the samples or less, many none.",
    "ali": "On ring8 no mode is starved, each has .6 to 1.7 times its share, but 10 to 52 % of a seed's samples lie "
    "off the modes, most of these within six stds of one.",
    "realnvp": "On ring8 no mode is without samples, each has .2 to 2.7 times its share, but 43 to 86 % of a seed's "
    "samples lie off the modes, in nine seeds of ten most of these near the straight line from one mode to the next. "
    "The search's two seeds had every mode.",
}
"""What is behind failures, as far as all seeds' samples tell; a trainer that misses modes of ring8 has a word here."""


def reading() -> str:
    """What is to be learnt from all methods beside each other."""
    ring, grid, many, roll = (Said(SUITE, dataset) for dataset in ("ring8", "grid25", "grid100", "swissroll"))
    ablation = Said("rpgan-ablation", "grid25")
    penalised = ("wgan-gp", "r1", "rpgan")
    least = min(grid.having(name, "modes", 25) for name in penalised)
    widths = [median(grid.values(name, "std_ratio")) for name in (*penalised, "sngan", "dragan")]
    blurred = ("vae", "realnvp", "ddpm", "flow-matching")
    sharp = ("gan", "lsgan", "hinge", "veegan")
    mixed = [(one, other) for one in ("r1", "rpgan", "dragan") for other in ("gan", "lsgan", "hinge")]
    behind = [("gan", other) for other in ("r1", "rpgan", "wgan-gp", "dragan")]
    chance = median(many.values("noise", "hq"))
    no_better = [
        f"`{row.label}`" for row in many.table.trainers if median(many.values(row.label, "hq")) <= 1.1 * chance
    ]
    everywhere = min(grid.having(name, "modes_any", 25) for name in blurred)
    gone = [25 - median(grid.values(name, "modes_any")) for name in sharp]
    return f"""\
- **On 25 Gaussians, penalties on the critic's gradient go with coverage, whatever the loss.** `wgan-gp`, `r1` and
  `rpgan` have all 25 modes in {least} seeds of ten or more, `sngan`,
  which bounds the critic's layers instead, in {grid.having("sngan", "modes", 25)}, `dragan`, whose penalty lies around
  the data, in {grid.having("dragan", "modes", 25)}; the other adversarial methods in none, nor does clipping weights do
  it (`wgan`). On 8 modes `hinge` needs none of that. [One comparison](settled.md#does-r1-alone-fail) changes
  nothing but
  the penalty: with R1 a GAN has {ablation.middle("rpgan[r2=0,relativistic=false]", "modes")} modes in the middle of ten
  seeds, without it {ablation.middle("rpgan[r1=0,r2=0,relativistic=false]", "modes")}.
- **Elsewhere they needn't help.** On a hundred Gaussians, in the same time, `r1`, `rpgan` and `dragan` capture
  {many.middle("r1", "modes")}, {many.middle("rpgan", "modes")} and {many.middle("dragan", "modes")}, `gan`, `lsgan` and
  `hinge` {many.middle("gan", "modes")}, {many.middle("lsgan", "modes")} and {many.middle("hinge", "modes")}, which
  can't be told apart among so many ({many.least_p("modes", mixed)}, corrected for all pairs of trainers; where [six
  alone](settled.md) are asked, R1 is seen to cost modes there), and `wgan-gp` {
        many.middle("wgan-gp", "modes")
    }. On the roll `r1`,
  `rpgan`, `wgan-gp` and `dragan` have a reverse KL of {roll.middle("r1", "reverse_kl")},
  {roll.middle("rpgan", "reverse_kl")}, {roll.middle("wgan-gp", "reverse_kl")} and
  {roll.middle("dragan", "reverse_kl")},
  `gan` {roll.middle("gan", "reverse_kl")} ({roll.most_p("reverse_kl", behind)}).
- **Their modes are narrower.** They are {short(min(widths))} to {short(max(widths))} as wide as the truth's on 25
  Gaussians, those of `gan` {grid.middle("gan", "std_ratio")}. Of all trainers `nsf` alone has every one of the 8 and of
  the 25 modes at its width.
- **Not all that misses modes has collapsed.** On 25 Gaussians `gan`, `lsgan`, `hinge` and `veegan` leave
  {short(min(gone))} to {short(max(gone))} modes without a single sharp sample of ten thousand in the middle of ten
  seeds. `vae`, `realnvp`, `ddpm` and `flow-matching` have some at every mode in {
        everywhere
    } of ten seeds, and miss those of which too few are sharp.
- **A hundred Gaussians are too many for everyone** in this time: no seed of any trainer captures more than
  {most(many.values(row.label, "modes") for row in many.table.trainers)}, and of the samples of {listed(no_better)}
  hardly more are of high quality than of noise.
- **Likelihoods have a floor, and only one flow comes to it.** The negative log-likelihood of `nsf` lies
  {ring.spread("nsf", "nll_gap")} nats above the entropy on 8 Gaussians, {roll.spread("nsf", "nll_gap")} on the roll and
  {grid.spread("nsf", "nll_gap")} on 25 Gaussians, which it can't fit with these networks in this time. `realnvp`,
  whose couplings are affine, is {ring.spread("realnvp", "nll_gap")}, {roll.spread("realnvp", "nll_gap")} and
  {grid.spread("realnvp", "nll_gap")} above it.

All this is of networks of 64 units, and of defaults that were searched for on other seeds of ring8 and grid25.
`dragan`, `veegan`, `ddpm` and `flow-matching` were best at the highest rate tried, so they may have better ones. With
[128 units](families.md#the-toys) `flow-matching` has all 25 modes in four seeds of five, and `vae` fewer than here.
"""


sys.path.insert(0, str(HERE / "search"))


def measured() -> list[MethodCard]:
    """A card for each trainer of the suite that has finished, in the plan's order."""
    tables = content(SUITE).main
    seconds = {row.label: step_seconds(row) for table in tables if table.dataset == TIMED for row in table.trainers}
    names = dict.fromkeys(row.label for table in tables for row in table.trainers if row.finished or row.failures)
    found = searches()
    return [
        MethodCard(
            trainer=name,
            searched=found.get(name),
            step_cost=seconds[name] / seconds[FIRST] if seconds.get(name) else None,
            outcomes=tuple(outcome(table, row) for table in tables for row in table.trainers if row.label == name),
            complete=complete(tables, name),
            why=WHY.get(name),
        )
        for name in names
    ]


def complete(tables: Sequence[Table], trainer: str) -> int:
    """How many of a trainer's seeds captured every mode of each of the mixtures."""
    whole = []
    for table in (table for table in tables if table.dataset in GRIDS):
        (row,) = (row for row in table.trainers if row.label == trainer)
        total = table.control(ORACLE, "modes")
        whole.append({seed for seed, modes in row.cell("modes").by_seed.items() if modes == total})
    return len(set.intersection(*whole))


def step_seconds(row: Row) -> float:
    """The seconds of a generator step in the middle of a row's trials, 0 where none finished."""
    costs = [trial.record.cost for trial in row.trials if trial.record.status == "done"]
    return median([cost.train_seconds / cost.steps for cost in costs]) if costs else 0.0


def outcome(table: Table, row: Row) -> Ending:
    """How a row's seeds ended."""
    total = table.control(ORACLE, "modes")
    modes = row.cell("modes").values
    counted = total is not None and bool(modes)
    middles = {
        name: median(values)
        for name in ("hq", "std_ratio", "arc_coverage")
        if 2 * len(values := row.cell(name).values) > row.planned
    }
    return Ending(
        dataset=table.dataset,
        seeds=row.planned,
        failed=len(row.failures),
        total=int(total) if counted and total is not None else None,
        covered=sum(value == total for value in modes) if counted else None,
        emptied=sum(value < total for value in row.cell("modes_any").values) if counted and total is not None else None,
        modes=(min(modes), median(modes), max(modes)) if counted else None,
        **middles,
    )


def searches() -> dict[str, Searched]:
    """What each trainer's defaults were searched over, of those whose search is whole."""
    import pandas as pd
    import toy2d

    rows = pd.read_csv(toy2d.TABLE)
    unfinished = {Reference.parse(text).name for _, text in toy2d.missing(rows)}
    ranked = toy2d.summarise(rows)
    found: dict[str, Searched] = {}
    for text, score in zip(ranked.trainer, ranked[toy2d.CRITERION], strict=True):
        tried = Reference.parse(text)
        if tried.name in unfinished or tried.name in found:
            continue
        settings = [given(Reference.parse(each)) for each in toy2d.references(tried.name)]
        over: dict[str, tuple[Value, ...]] = {name: _distinct(each[name] for each in settings) for name in settings[0]}
        found[tried.name] = Searched(tries=len(settings), over=over, best=given(tried), score=round(score, 6))
    return found


def given(reference: Reference) -> dict[str, Value]:
    """What a reference gives, as its parameters take it."""
    resolved = trainers[reference.name].resolve(reference.parameters)
    return {name: resolved[name] for name in reference.parameters}


def _distinct(values: Iterator[Value]) -> tuple[Value, ...]:
    return tuple(dict.fromkeys(values))


def document(cards: Sequence[MethodCard]) -> str:
    """docs/methods.md: all at a glance, the panoramas, a section a trainer, and the tables."""
    shown = content(SUITE).datasets
    panoramas = [f"![Samples of every trainer's first seed on {dataset}]({picture(dataset)})\n" for dataset in shown]
    lines = [
        "# Methods",
        "",
        filled(
            "Every trainer that comes with genbench with its defaults, on targets whose truth is known: what the "
            "defaults were searched over, what a step costs, and where it fails. `genbench show NAME` tells the same "
            "of one, with its equations and parameters."
        ),
        "",
        filled(
            f"`genbench run --suite {SUITE} --out results/reference --no-weights --keep-samples 2000` made the records "
            "in 69 minutes on two cores, and later, as they changed, in 17 those of `realnvp`, `nsf`, `ddpm` and "
            "`veegan`, whose steps' costs are therefore rougher; "
            f"`genbench pack results/reference --suite {SUITE}` made one file of them, and "
            "`python results/cards.py` this page."
        ),
        "",
        *glance(cards, shown),
        "",
        filled(reading()),
        "",
        "The first seed of each, over real samples, on the critic's level sets where it judges single points:",
        "",
        *panoramas,
        *(line for card in cards for line in section(card)),
        "## Tables",
        "",
        f"`genbench report results/reference --suite {SUITE} --format md` prints these:",
        "",
        marked(SUITE),
    ]
    return "\n".join(lines) + "\n"


def glance(cards: Sequence[MethodCard], datasets: Sequence[str]) -> Iterator[str]:
    """A row a trainer: what a step costs, and how its seeds ended."""
    yield f"| | step, × {FIRST} | {' | '.join(datasets)} |"
    yield f"|---|---:|{'---:|' * len(datasets)}"
    for card in cards:
        cost = "–" if card.step_cost is None else f"{card.step_cost:.2g}"
        yield f"| [{card.trainer}](#{card.trainer}) | {cost} | {' | '.join(briefly(card.on(d)) for d in datasets)} |"
    yield ""
    yield filled(
        "Modes that were captured after 6 000 generator steps, the middle of ten seeds and the least and most, bold "
        "where nine seeds have all, and the share of high-quality samples, those within three stds of a mode; of a "
        "curve, the share that is covered. A mode is captured by a fifth of its fair share of high-quality samples. "
        "Bold counts seeds and tests nothing: which trainers can be told apart, letters say in the [tables](#tables)."
    )


def briefly(ending: Ending) -> str:
    """How seeds ended, in a cell."""
    if ending.modes is None:
        return "" if ending.arc_coverage is None else number(ending.arc_coverage)
    least, middle, most = ending.modes
    modes = f"{middle:g} ({least:g}–{most:g})" if least != most else f"{middle:g}"
    return f"{f'**{modes}**' if ending.covered_share >= OFTEN else modes}, hq {ending.hq:.2f}"


def picture(dataset: str) -> str:
    """Where every trainer's samples on a dataset are shown, seen from the document."""
    return f"../results/reference/report/{SUITE}/landscapes-{slug(dataset)}.png"


def section(card: MethodCard) -> Iterator[str]:
    """A trainer's part of the document."""
    entry = trainers[card.trainer]
    summary = " ".join(entry.doc.partition("\n\n")[0].split())
    yield from (f"## {card.trainer}", "", f"{summary} {entry.citation}", "")
    if card.searched is not None:
        yield f"- Searched: {card.searched}"
    if card.step_cost is not None and card.trainer != FIRST:
        yield f"- A generator step takes {card.step_cost:.2g} times as long as one of {FIRST}, on {TIMED}."
    yield from (f"- {outcome.dataset}: {outcome}" for outcome in card.outcomes)
    failures = [
        f"{failure} on {', '.join(f'[{dataset}]({picture(dataset)})' for dataset in on)}"
        for failure, on in card.failures.items()
    ]
    yield f"- Known failures: {'; '.join(failures) or 'none on these targets'}."
    if card.why is not None:
        yield f"- Why: {card.why}"
    yield ""


def answer(cards: Sequence[MethodCard]) -> str:
    """In one sentence, who captures every mode, who collapses, and who does neither."""
    few, many = (cards[0].on(dataset).total for dataset in GRIDS)
    groups = {of: [f"`{card.trainer}`" for card in cards if group(card) == of] for of in GROUPS}
    return filled(
        f"With searched defaults and 6 000 generator steps, {listed(groups['all'])} capture all {few} and all {many} "
        f"Gaussians in nine seeds of ten or more, and {listed(groups['half'])} in half of them or more; "
        f"{listed(groups['collapses'])} collapse on the {many} in most seeds and {listed(groups['may collapse'])} in "
        f"some, which is to say that a mode is left without a single good sample; and {listed(groups['blurs'])} leave "
        "none without, but too few at some. [What each costs, how it fails, and pictures](docs/methods.md)."
    )


GROUPS = ("all", "half", "collapses", "may collapse", "blurs")


def group(card: MethodCard) -> str:
    """Which of GROUPS a trainer is in, by how its seeds end on the smaller and the larger of the mixtures."""
    endings = [card.on(dataset) for dataset in GRIDS]
    share = card.complete / endings[0].seeds
    if share >= 0.5:
        return "all" if share >= OFTEN else "half"
    if endings[-1].collapses:
        return "collapses"
    return "may collapse" if any(ending.emptied for ending in endings) else "blurs"


def answered(text: str, cards: Sequence[MethodCard]) -> str:
    """A page with the answer between its marks."""
    opened, closed = "<!-- answer -->\n", "<!-- /answer -->"
    said = f"{opened}{answer(cards)}\n{closed}"
    return re.sub(f"{opened}.*?{closed}", lambda _: said, text, flags=re.DOTALL)


def main() -> None:
    cards = measured()
    payload = [card.model_dump(mode="json", exclude_none=True) for card in cards]
    CARDS.write_text(json.dumps(payload, indent=1) + "\n", encoding="utf-8")
    DOCUMENT.write_text(document(cards), encoding="utf-8")
    README.write_text(answered(README.read_text(encoding="utf-8"), cards), encoding="utf-8")


if __name__ == "__main__":
    main()
