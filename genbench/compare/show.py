"""A comparison as text: a table and a sentence for the terminal, and JSON."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import TYPE_CHECKING, Any

from genbench.compare.changes import Breach, Change
from genbench.compare.sides import FIRST, SECOND, Sides
from genbench.report.formats.long import finite, middle
from genbench.report.formats.text import ARROWS, budget, number
from genbench.report.model import Cell
from genbench.stats.intervals import Interval

if TYPE_CHECKING:
    from rich.table import Table as RichTable

WIDTHS = {
    "metric": 11, "n": 5, FIRST: 8, SECOND: 8, f"{SECOND} worse by": 14, "p": 6, f"P({SECOND})": 5, "detects": 7,
    "": 7,
}  # fmt: skip
"""The columns and how many characters each has: fewer than 80 with a space between."""

LEGEND = (
    f"n: runs of {FIRST} and {SECOND}, failed ones included; then their medians, and how much worse a run of {SECOND} "
    "is (median of all differences, and Wilcoxon's 95 % interval); p: as in reports, exchange of ranks, guarded "
    "against unequal spread, corrected for all that is compared in the metric, a failure being worse than any score; "
    f"P({SECOND}): how likely a run of {SECOND} beats one of {FIRST}; detects: the difference of means that Student's "
    "t test finds with so many seeds in four of five experiments, were nothing else compared; this one needs more."
)


WANTS = {"runs": "one side has no scores", "oracle": "nothing says which way is better"}
"""Why there is no verdict, where more seeds would be no help."""

ALLOW = "To pass all the same: --allow-no-power"


def terminal(sides: Sides, compared: Sequence[Change], broken: Sequence[Breach]) -> None:
    """Prints the comparison with rich, in 80 columns: a block for each dataset and trainer, and what came out."""
    from rich.console import Console

    console = Console(highlight=False, emoji=False)
    before = ""
    for table, changes in groupby(compared, key=lambda change: (change.pair.table, change.pair.trainer)):
        block = list(changes)
        title = f"{table[0].dataset}, {budget(table[0])}, protocol {table[0].protocol.name} (suite {table[0].suite})"
        if title != before:
            console.print(title, markup=False, style="bold")
        console.print(block[0].pair.trainer, markup=False, style="bold dim")
        console.print(_rich_table(block, heading=title != before))
        before = title
    for failure in sides.failed:
        console.print(f"Failed in {SECOND} and not in {FIRST}: {failure}", markup=False, style="red")
    for note in sides.notes:
        console.print(note, markup=False, style="yellow")
    console.print(LEGEND, markup=False, style="dim")
    console.print(sentence(sides, compared, broken), markup=False)


def sentence(sides: Sides, compared: Sequence[Change], broken: Sequence[Breach]) -> str:
    """What came out of it: how many comparisons went which way, what failed anew, and which margins are broken."""
    counted = Counter(change.verdict for change in compared)
    tested = len(compared) - counted["untested"]
    said = []
    if tested:
        said.append(
            f"Of {_many(tested, 'comparison')}, {SECOND} is worse in {counted['worse']}, better in "
            f"{counted['better']}, and can't be told from {FIRST} in {counted['unclear']} (5 %, corrected)."
        )
    if sides.failed:
        said.append(f"{_many(len(sides.failed), 'trial')} failed in {SECOND} and not in {FIRST}.")
    said += [
        f"{breach.change.name} is worse {_how(breach)}, beyond --fail-on {breach.margin.text}"
        f"{f', which allows {number(breach.allowed)}' if breach.allowed else ''}."
        for breach in broken
    ]
    return " ".join(said)


def warnings(compared: Sequence[Change]) -> list[str]:
    """Which comparisons could not have shown anything, or nothing by themselves, and what that would take."""
    untested = [change for change in compared if change.untestable == "seeds"]
    alone = [change for change in compared if change.powerless and change.verdict == "unclear"]
    said = []
    if untested:
        said.append(
            f"No verdict on {_many(len(untested), 'comparison')}: nothing could have been told with these seeds; "
            f"it takes {_needed(untested)} of each side or more."
        )
    for want, why in WANTS.items():
        if of := [change.name for change in compared if change.untestable == want]:
            said.append(f"No verdict on {', '.join(of)}: {why}.")
    if alone:
        said.append(
            f"In {_many(len(alone), 'comparison')} no difference could have been told unless others differ too; "
            f"that takes {_needed(alone)} seeds of each side or more."
        )
    return said


def powerless(of: Sequence[Change], metric: str) -> str:
    """Why a gate on a metric could not have found what it looks for."""
    said = [f"--fail-on {metric} could say nothing of {change.name}." for change in of if change.untestable in WANTS]
    if seeds := [change for change in of if change.untestable not in WANTS]:
        said.append(
            f"--fail-on {metric} could not have found a difference in {_many(len(seeds), 'comparison')} with these "
            f"seeds; it takes {_needed(seeds)} of each side or more."
        )
    return f"{' '.join(said)} {ALLOW}"


def unscored(change: Change) -> str:
    """Of how many runs the second side has no score."""
    return f"{change.column.name} of {_many(change.unscored, 'run')} of {change.pair.place}"


def lacking(rows: Sequence[str]) -> str:
    """That a gate could say nothing of rows that the second side hasn't."""
    return f"--fail-on could say nothing of what {SECOND} lacks: {'; '.join(rows)}. {ALLOW}"


def unlike(rows: Sequence[str]) -> str:
    """That a gate could say nothing of rows that the first side has nothing like."""
    return f"--fail-on could say nothing of what is made otherwise than anything in {FIRST}: {'; '.join(rows)}. {ALLOW}"


def _needed(of: Sequence[Change]) -> int:
    return max(change.needed for change in of)


def as_json(sides: Sides, compared: Sequence[Change], broken: Sequence[Breach]) -> str:
    """The comparison as JSON: every number of the table, unrounded, and what its verdicts rest on."""
    payload = {
        "comparisons": [_payload(change) for change in compared],
        "failed": [failure._asdict() for failure in sides.failed],
        "breaches": [
            {
                "fail_on": breach.margin.text,
                "suite": breach.change.pair.table.suite,
                "dataset": breach.change.pair.dataset,
                "trainer": breach.change.pair.trainer,
                "metric": breach.change.column.name,
                "worsening": finite(breach.worsening),
                "allowed": breach.allowed,
            }
            for breach in broken
        ],
        "notes": sides.notes,
        "warnings": warnings(compared),
        "summary": sentence(sides, compared, broken),
    }
    return json.dumps(payload, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def _payload(change: Change) -> dict[str, Any]:
    table = change.pair.table
    return {
        "suite": table.suite,
        "dataset": table.dataset,
        "budget": budget(table),
        "protocol": table.protocol.name,
        "trainer": change.pair.trainer,
        "metric": change.column.name,
        "unit": change.column.unit,
        "higher_is_better": change.column.higher_is_better,
        "n": [len(cell.values) + cell.lost for cell in (change.before, change.after)],
        "failed": [change.before.lost, change.after.lost],
        "medians": [middle(cell) for cell in (change.before, change.after)],
        "means_of_finished": [change.before.mean, change.after.mean],
        "values": [list(change.before.values), list(change.after.values)],
        "worse_by": _ends(change.worsening) if change.worsening else None,
        "p": change.finding.p if change.finding else None,
        "least_p_alone": change.finding.lone if change.finding else None,
        "probability_of_improvement": change.better,
        "minimal_detectable_effect": change.detectable,
        "seeds_needed": change.needed,
        "verdict": change.verdict,
    }


def _ends(interval: Interval) -> dict[str, float | None]:
    return {name: finite(end) for name, end in interval._asdict().items()}


def _rich_table(changes: Sequence[Change], heading: bool) -> RichTable:
    from rich import box
    from rich.markup import escape
    from rich.table import Table as RichTable

    shown = RichTable(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=0, show_header=heading)
    for name, width in WIDTHS.items():
        shown.add_column(escape(name), width=width, overflow="fold", justify="left" if name == "metric" else "right")
    styles = {"worse": "red", "better": "green"}
    for change in changes:
        shown.add_row(*map(escape, _texts(change)), style=styles.get(change.verdict))
    return shown


def _texts(change: Change) -> Iterator[str]:
    yield f"{change.column.name}{ARROWS[change.column.higher_is_better]}"
    yield "/".join(str(len(cell.values) + cell.lost) for cell in (change.before, change.after))
    for cell in (change.before, change.after):
        yield _median(cell)
    yield "–" if change.worsening is None else _with_ends(change, change.worsening)
    yield "–" if change.finding is None else f"{change.finding.p:.2g}"
    yield "–" if change.better is None else f"{change.better:.2f}"
    yield "–" if change.detectable is None else f"{change.detectable:.2g}"
    yield "–" if change.verdict == "untested" else change.verdict


def _median(cell: Cell) -> str:
    if cell.interval is None:
        return cell.lacking if cell.lost else "–"
    return cell.lacking if math.isinf(cell.interval.value) else number(cell.interval.value)


def _with_ends(change: Change, interval: Interval) -> str:
    def of(end: float) -> str:
        return _amount(change, end, f"{end:.2g}")

    value, low, high = interval
    ends = "" if low is None or high is None else f"\n{of(low)} to {of(high)}"
    return _amount(change, value, number(value)) + ends


def _amount(change: Change, worsening: float, finite: str) -> str:
    """How much worse the second side is; where a lost run says it, whose it is unless it is the second's."""
    if math.isfinite(worsening):
        return finite
    return change.after.lacking if worsening > 0 else f"{FIRST} {change.before.lacking}"


def _how(breach: Breach) -> str:
    """By how much a change is worse, or how seldom a run of the second side beats one of the first."""
    if breach.worsening <= 0 and breach.change.better is not None:
        return f"with P({SECOND}) = {breach.change.better:.2f}"
    if math.isfinite(breach.worsening):
        return f"by {number(breach.worsening)}"
    return "since runs failed" if breach.change.after.lacking == "failed" else "since runs left nothing to measure"


def _many(n: int, what: str) -> str:
    return f"{n} {what}{'' if n == 1 else 's'}"
