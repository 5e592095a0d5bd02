"""What was measured of the trainers that come with genbench, from the committed search and toy2d-extended's records.

Run it from the repository's root; it writes genbench/report/method_cards.json, which `genbench show` reads,
docs/methods.md, and the README's answer between its marks:

    python results/cards.py
"""

from __future__ import annotations

import json
import re
import sys
import textwrap
from collections.abc import Iterator, Sequence
from pathlib import Path

from tables import marked

from genbench.records.store import Store, slug
from genbench.references import Reference, Value
from genbench.registry import trainers
from genbench.report.content import Content
from genbench.report.formats import number
from genbench.report.method_cards import CARDS, Ending, MethodCard, Searched
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

GRIDS = {"ring8": "8", "grid25": "25"}
"""The mixtures by which trainers are said to cover or to collapse, with their modes."""

WHY = {
    "gan": "the mass leaves: a missed mode has three samples of a hundred or fewer, where twelve were fair.",
    "lsgan": "the mass leaves: a missed mode has five samples of a hundred or fewer, where twelve were fair.",
    "sngan": "every mode has its share of the samples, but those of one lie more than three stds beside its centre.",
    "pacgan": "the mass leaves in two seeds of ten: two and five modes have three samples of a hundred or fewer.",
    "unrolled": "a whole side of the ring is left without a sample. At half the rate the search had every mode in the "
    "middle of its seeds, with fewer samples of high quality.",
    "veegan": "one to five modes are left without samples, or nearly so, and others hold up to half of all.",
    "ali": "every mode has its share of the samples, but up to half of all lie beside their centres.",
    "realnvp": "every mode has its share, but the density is one piece: couplings that scale and shift draw threads "
    "from mode to mode, on which two thirds of the samples lie.",
}
"""What is behind failures, as far as it is known; a trainer that misses modes of ring8 has a word here."""

READING = """\
- **What holds the critic smooth decides, not the loss.** Of the adversarial methods `wgan-gp`, `r1` and `rpgan`,
  which penalise the critic's gradient, have all of both mixtures; `sngan`, which bounds its layers, and `dragan`,
  whose penalty lies around the data, all 25 in eight and five seeds of ten. `wgan`, which clips weights, has samples
  everywhere and few where they belong. Those that have another loss (`lsgan`, `hinge`), another view for the critic
  (`pacgan`, `veegan`, `ali`) or a look ahead (`unrolled`) miss modes of the 25 in every seed, as `gan` does.
- **It costs spread.** Modes of those five are half as wide as the truth's, .45 to .62 of it on 25 Gaussians. Of all
  trainers `nsf` alone has every mode and its width.
- **Who misses modes need not have collapsed.** `vae`, `realnvp`, `ddpm` and `flow-matching` have samples in all 25
  modes in every seed (`modes_any`), and too few sharp ones in some: they blur where GANs leave out.
- **A hundred Gaussians are too many for everyone** in this time: no seed of any trainer captures more than 35.
"""

sys.path.insert(0, str(HERE / "search"))


def measured() -> list[MethodCard]:
    """A card for each trainer of the suite that has finished, in the plan's order."""
    tables = Content(Store(HERE / "reference"), SUITE).main
    seconds = {row.label: step_seconds(row) for table in tables if table.dataset == TIMED for row in table.trainers}
    names = dict.fromkeys(row.label for table in tables for row in table.trainers if row.finished or row.failures)
    found = searches()
    return [
        MethodCard(
            trainer=name,
            searched=found.get(name),
            step_cost=None if not seconds.get(name) else round(seconds[name] / seconds[FIRST], 2),
            outcomes=tuple(outcome(table, row) for table in tables for row in table.trainers if row.label == name),
            why=WHY.get(name),
        )
        for name in names
    ]


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
        name: round(median(values), 3)
        for name in ("hq", "std_ratio", "arc_coverage")
        if (values := row.cell(name).values)
    }
    return Ending(
        dataset=table.dataset,
        seeds=row.planned,
        failed=len(row.failures),
        total=int(total) if counted and total is not None else None,
        covered=sum(value == total for value in modes) if counted else None,
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
        found[tried.name] = Searched(tries=len(settings), over=over, best=given(tried), score=round(score, 3))
    return found


def given(reference: Reference) -> dict[str, Value]:
    """What a reference gives, as its parameters take it."""
    resolved = trainers[reference.name].resolve(reference.parameters)
    return {name: resolved[name] for name in reference.parameters}


def _distinct(values: Iterator[Value]) -> tuple[Value, ...]:
    return tuple(dict.fromkeys(values))


def document(cards: Sequence[MethodCard]) -> str:
    """docs/methods.md: all at a glance, the panoramas, a section a trainer, and the tables."""
    shown = Content(Store(HERE / "reference"), SUITE).datasets
    panoramas = [f"![Samples of every trainer on {dataset}]({picture(dataset)})\n" for dataset in shown]
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
            f"in 69 minutes on two cores, `genbench pack results/reference --suite {SUITE}` one file of them, and "
            "`python results/cards.py` this page."
        ),
        "",
        *glance(cards, shown),
        "",
        READING,
        *panoramas,
        *(line for card in cards for line in section(card)),
        "## Tables",
        "",
        f"`genbench report results/reference --suite {SUITE} --format md` prints these:",
        "",
        marked(SUITE),
    ]
    return "\n".join(lines) + "\n"


def filled(text: str) -> str:
    """Prose in lines."""
    return textwrap.fill(text, 120, break_on_hyphens=False)


def glance(cards: Sequence[MethodCard], datasets: Sequence[str]) -> Iterator[str]:
    """A row a trainer: what a step costs, and how its seeds ended."""
    yield f"| | step, × {FIRST} | {' | '.join(datasets)} |"
    yield f"|---|---:|{'---:|' * len(datasets)}"
    for card in cards:
        cost = "–" if card.step_cost is None else number(card.step_cost)
        yield f"| [{card.trainer}](#{card.trainer}) | {cost} | {' | '.join(briefly(card.on(d)) for d in datasets)} |"
    yield ""
    yield filled(
        "Modes that were captured, the middle of the seeds and the least and most, bold where nine seeds of ten have "
        "all, and the share of high-quality samples; along a curve, the share that is covered."
    )


def briefly(ending: Ending) -> str:
    """How seeds ended, in a cell."""
    if ending.modes is None:
        return "" if ending.arc_coverage is None else f"{ending.arc_coverage:.2f}"
    least, middle, most = ending.modes
    modes = f"{middle:g} ({least:g}–{most:g})" if least != most else f"{middle:g}"
    return f"{f'**{modes}**' if ending.covers else modes}, hq {ending.hq:.2f}"


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
        yield f"- A generator step takes {number(card.step_cost)} times as long as one of {FIRST}."
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
    """In one sentence, who captures every mode and who doesn't."""
    few, many = GRIDS.values()
    by = {
        (True, True): f"all {few} and all {many} Gaussians are captured, in nine seeds of ten or more, by",
        (True, False): f"all {few} but not all {many} by",
        (False, True): f"all {many} but not all {few} by",
        (False, False): "and neither by",
    }
    covered = {card.trainer: tuple(card.on(dataset).covers for dataset in GRIDS) for card in cards}
    whose = {which: [f"`{name}`" for name, of in covered.items() if of == which] for which in by}
    parts = [f"{by[which]} {listed(names)}" for which, names in whose.items() if names]
    said = f"With searched defaults and 6 000 generator steps, {'; '.join(parts)}."
    return filled(f"{said} [Each of them, with pictures](docs/methods.md).")


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
