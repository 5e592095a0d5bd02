"""A comparison as text: a table and a sentence for the terminal, and JSON."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import TYPE_CHECKING, Any

from genbench.compare.changes import Breach, Change, least_p
from genbench.compare.sides import FIRST, SECOND, Sides
from genbench.report.formats.text import ARROWS, number
from genbench.stats import FEWEST_SEEDS, LEVEL, mean_interval

if TYPE_CHECKING:
    from rich.table import Table as RichTable

WIDTHS = {
    "metric": 11, "n": 5, FIRST: 8, SECOND: 8, f"{SECOND} − {FIRST}": 9, "d": 5, "p": 6, f"P({SECOND})": 5,
    "detects": 7, "": 7,
}  # fmt: skip
"""The columns and how many characters each has: 80 with a space between."""

LEGEND = (
    f"n and means of {FIRST} and {SECOND}; {SECOND} − {FIRST} ± half of its 95 % interval (Student's of pairs, else "
    f"Welch's); d: Cohen's; p: permutation test, of pairs (*) where six seeds are shared, with Holm's correction over "
    f"all comparisons here; P({SECOND}): how likely a run of {SECOND} beats one of {FIRST}; detects: the difference "
    "that so many seeds find in four of five experiments by a single t test (of pairs *)."
)


def terminal(sides: Sides, found: Sequence[Change], broken: Sequence[Breach]) -> None:
    """Prints the comparison with rich, in 80 columns: a block for each dataset and trainer, and what came out."""
    from rich.console import Console

    console = Console(highlight=False, emoji=False)
    before = ""
    for table, changes in groupby(found, key=lambda change: (change.pair.table, change.pair.trainer)):
        block = list(changes)
        title = f"{table[0].dataset}, {table[0].budget}, protocol {table[0].protocol.name} (suite {table[0].suite})"
        if title != before:
            console.print(title, markup=False, style="bold")
        console.print(block[0].pair.trainer, markup=False, style="bold dim")
        console.print(_rich_table(block, heading=title != before))
        before = title
    for failure in sides.failed:
        console.print(f"Failed in {SECOND} and not in {FIRST}: {failure}", markup=False, style="red")
    for note in (*sides.notes, *_left_out(found)):
        console.print(note, markup=False, style="yellow")
    console.print(LEGEND, style="dim")
    console.print(sentence(sides, found, broken), markup=False)


def sentence(sides: Sides, found: Sequence[Change], broken: Sequence[Breach]) -> str:
    """What came out of it: how many comparisons went which way, what failed anew, and which margins are broken."""
    counted = Counter(change.verdict for change in found)
    tested = len(found) - counted["untested"]
    said = []
    if tested:
        undirected = f"differs in {counted['differs']} that have no better way, " if counted["differs"] else ""
        said.append(
            f"Of {_many(tested, 'comparison')}, {SECOND} is worse in {counted['worse']}, better in "
            f"{counted['better']}, {undirected}and can't be told from {FIRST} in {counted['unclear']} "
            "(permutation tests, Holm's correction, 5 %)."
        )
    if counted["untested"]:
        said.append(no_verdict(found))
    if sides.failed:
        said.append(f"{_many(len(sides.failed), 'trial')} failed in {SECOND} and not in {FIRST}.")
    said += [
        f"{breach.change.name} is worse by {number(breach.worsening)}, beyond --fail-on {breach.margin.text}"
        f"{f', which allows {number(breach.allowed)}' if breach.allowed else ''}."
        for breach in broken
    ]
    return " ".join(said)


def warnings(found: Sequence[Change]) -> list[str]:
    """Why no verdict, or no other one, could have come out: too few seeds, or too many comparisons for so few."""
    said = [no_verdict(found)] if any(change.verdict == "untested" for change in found) else []
    least = least_p(found)
    if least is not None and least > LEVEL:
        tested = sum(change.test is not None for change in found)
        said.append(
            f"No difference could be found: over {_many(tested, 'comparison')} the least p that these seeds allow is "
            f"{least:.2g} after correction. Ask for fewer with --metric, --dataset or --trainer, or run more seeds."
        )
    return said


def no_verdict(found: Iterable[Change]) -> str:
    """How many comparisons have no verdict, and why."""
    untested = sum(change.verdict == "untested" for change in found)
    return (
        f"No verdict on {_many(untested, 'comparison')}: with fewer than {FEWEST_SEEDS} seeds of either side, no test "
        "could find a difference."
    )


def as_json(sides: Sides, found: Sequence[Change], broken: Sequence[Breach]) -> str:
    """The comparison as JSON: every number of the table, unrounded, and what its verdicts rest on."""
    payload = {
        "comparisons": [_payload(change) for change in found],
        "failed": [failure._asdict() for failure in sides.failed],
        "breaches": [
            {
                "fail_on": breach.margin.text,
                "suite": breach.change.pair.table.suite,
                "dataset": breach.change.pair.dataset,
                "trainer": breach.change.pair.trainer,
                "metric": breach.change.column.name,
                "worsening": breach.worsening,
                "allowed": breach.allowed,
            }
            for breach in broken
        ],
        "notes": [*sides.notes, *_left_out(found)],
        "warnings": warnings(found),
        "summary": sentence(sides, found, broken),
    }
    return json.dumps(payload, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def _payload(change: Change) -> dict[str, Any]:
    table = change.pair.table
    return {
        "suite": table.suite,
        "dataset": table.dataset,
        "budget": table.budget,
        "protocol": table.protocol.name,
        "trainer": change.pair.trainer,
        "metric": change.column.name,
        "unit": change.column.unit,
        "higher_is_better": change.column.higher_is_better,
        "n": [len(change.before), len(change.after)],
        "means": [mean_interval(of).value if of else None for of in (change.before, change.after)],
        "values": [list(change.before), list(change.after)],
        "left_out_seeds": list(change.left_out),
        "difference": change.difference._asdict() if change.difference else None,
        "cohens_d": change.effect,
        "paired": change.test.paired if change.test else None,
        "p": change.test.p if change.test else None,
        "p_corrected": change.p,
        "probability_of_improvement": change.better,
        "minimal_detectable_effect": change.detectable,
        "worsening": change.worsening(),
        "verdict": change.verdict,
    }


def _rich_table(changes: Sequence[Change], heading: bool) -> RichTable:
    from rich import box
    from rich.markup import escape
    from rich.table import Table as RichTable

    shown = RichTable(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=0, show_header=heading)
    for name, width in WIDTHS.items():
        shown.add_column(escape(name), width=width, overflow="fold", justify="left" if name == "metric" else "right")
    styles = {"worse": "red", "better": "green", "differs": "yellow"}
    for change in changes:
        shown.add_row(*map(escape, _texts(change)), style=styles.get(change.verdict))
    return shown


def _texts(change: Change) -> Iterator[str]:
    yield f"{change.column.name}{ARROWS[change.column.higher_is_better]}"
    yield f"{len(change.before)}/{len(change.after)}"
    for values in (change.before, change.after):
        yield number(mean_interval(values).value) if values else "–"
    if change.difference is None:
        yield "–"
    else:
        half = change.difference.half_width
        yield number(change.difference.value) + ("" if half is None else f"\n±{half:.2g}")
    yield (
        "–" if change.effect is None else f"{change.effect:.2g}" if abs(change.effect) < 10 else f"{change.effect:.0f}"
    )
    yield "–" if change.p is None else f"{change.p:.2g}{'*' if change.test and change.test.paired else ''}"
    yield "–" if change.better is None else f"{change.better:.2f}"
    yield "–" if change.detectable is None else f"{change.detectable:.2g}"
    yield "–" if change.verdict == "untested" else change.verdict


def _left_out(found: Iterable[Change]) -> list[str]:
    """A note for each pair some of whose seeds have no partner, and are left out of tests of pairs."""
    notes = (
        f"{change.pair.trainer} on {change.pair.dataset}: left out of tests of pairs, being on one side alone: seeds "
        f"{', '.join(map(str, change.left_out))}."
        for change in found
        if change.left_out
    )
    return list(dict.fromkeys(notes))


def _many(n: int, what: str) -> str:
    return f"{n} {what}{'' if n == 1 else 's'}"
