"""The sections of a suite's part of the page: each takes its `Content` and returns HTML, or nothing."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import matplotlib as mpl

from genbench.registry import metrics
from genbench.report import budgets, overall
from genbench.report.budgets import UNITS, Equal, Reached
from genbench.report.content import Content
from genbench.report.figures import curves, scatter
from genbench.report.figures.style import STYLE, Picture
from genbench.report.formats.beside import blocks
from genbench.report.formats.long import middle
from genbench.report.formats.text import LEGEND, CellText, budget, headings, notes, standing, texts, title
from genbench.report.guard import may_fail
from genbench.report.model import Column, Row, Table
from genbench.report.page.cards import card
from genbench.report.page.render import picture as embedded
from genbench.report.page.render import template
from genbench.report.sentence import sentence
from genbench.report.verdict import deciding
from genbench.scoring.protocols import protocol
from genbench.stats.intervals import median

ALONG = ("curves", "losses")
PANORAMAS = ("landscapes",)
GALLERIES = (*PANORAMAS, "strip", "film", "samples", "interpolation", "sweep", "neighbours")
COSTS = ("steps", "updates", "samples", "train_seconds", "eval_seconds")
COMMANDS = 20
"""Of the commands that made the records, so many are shown."""


def verdict(content: Content) -> str:
    """A sentence a dataset: who is best by the protocol's deciding column, and whether that can be told."""
    several = len({table.budget for table in content.main}) > 1
    said = [(budget(table) if several else "", sentence(table)) for table in content.main]
    return template("verdict.html").render(sentences=said, suite=content.suite)


def across(content: Content) -> str:
    """Interquartile means between noise and the truth, ranks, odds and a performance profile; of several datasets."""
    parts = []
    for after in dict.fromkeys(table.budget for table in content.main):
        tables = [table for table in content.main if table.budget == after]
        if not (trainers := overall.overall(tables)):
            continue
        with mpl.rc_context(STYLE):
            caption = (
                "The share of all trials that score at least so much: 0 is what noise scores, 1 what the truth does."
            )
            name = f"profile-{after}.svg"
            profile = Picture("profile", None, name, caption, curves.profiles(trainers, content.colours))
        used = [(table.dataset, column.name) for table in tables if (column := deciding(table)) is not None]
        part = template("overall.html").render(
            trainers=trainers, used=used, profile=profile, suite=content.suite, budget=after
        )
        parts.append(part)
    return "\n".join(parts)


def tables(content: Content) -> str:
    """Every protocol's tables, which can be sorted and filtered."""
    shown = [
        {
            "protocol": name,
            "open": place == 0,
            "tables": [_shown(table) for table in of if table.columns or place == 0],
        }
        for place, (name, of) in enumerate(content.tables.items())
    ]
    return template("tables.html").render(protocols=shown, suite=content.suite, several=len(shown) > 1, legend=LEGEND)


def literature(content: Content) -> str:
    """Published numbers beside ours, and which change moves which number, under every protocol."""
    found = [block for of in content.tables.values() for table in of for block in blocks(table.headline())]
    return template("blocks.html").render(blocks=found, suite=content.suite) if found else ""


def scores(content: Content) -> str:
    """All scores behind the first protocol's tables, with controls and null bands."""
    drawn = []
    with mpl.rc_context(STYLE):
        for table, what in _named(content):
            if (figure := scatter.scores(table.headline(), content.colours)) is not None:
                caption = (
                    f"{what}: every seed's or draw's score as a point, their median as a tick with its interval, the "
                    "truth's null band in green."
                )
                drawn.append(Picture("scores", table.dataset, f"scores-{what}.svg", caption, figure))
    return _figures(content, drawn)


def along(content: Content) -> str:
    """Metrics and losses along training."""
    return _figures(content, [p for d in content.datasets for p in content.pictures_of(d, *ALONG)])


def equal(content: Content) -> str:
    """Rankings at equal steps, updates, samples and seconds, where they are fair, and how soon targets are reached."""
    compared = []
    for dataset in content.datasets:
        tables = [table for table in content.main if table.dataset == dataset]
        rankings: list[Equal] = []
        reached = []
        for table in tables:
            measured = content.curves(table)
            rankings += filter(None, [budgets.at_end(table)])
            rankings += budgets.along(table, measured) if len(measured) else []
            target = budgets.reachable(content.oracle(table), table.protocol, "modes")
            if target is not None and "modes" in measured:
                came = [_reached(each) for each in budgets.time_to(table, measured, "modes", target)]
                reached.append((budget(table), target, table.protocol.along().n, came))
        if rankings:
            missing = [unit for unit in UNITS if unit not in {each.unit for each in rankings}]
            trainers = sorted({standing.trainer for each in rankings for standing in each.standings})
            compared.append(
                {"dataset": dataset, "equal": rankings, "trainers": trainers, "missing": missing, "reached": reached}
            )
    return template("budgets.html").render(compared=compared, suite=content.suite) if compared else ""


def pictures(content: Content) -> str:
    """Landscapes, strips, films and galleries."""
    drawn = [*content.pictures_of(None, *PANORAMAS)]
    drawn += [picture for dataset in content.datasets for picture in content.pictures_of(dataset, *GALLERIES)]
    return _figures(content, drawn)


def cards(content: Content) -> str:
    """A card for each metric of the first protocol's tables."""
    way = protocol(content.protocols[0])
    columns = {column.name: column for table in content.main for column in table.columns}
    with mpl.rc_context(STYLE):
        shown = [
            card(name, way.columns.get(name, name), _named(content))
            for name, column in columns.items()
            if column.identity.metric in metrics
        ]
    return template("metrics.html").render(cards=shown, suite=content.suite)


def trials(content: Content) -> str:
    """Which trials are done, which failed and why."""
    rows = dict.fromkeys(row.label for table in content.main for row in table.trainers)
    matrix = [(label, [_cell(table, label) for table in content.main]) for label in rows]
    failures = dict.fromkeys(str(failure) for table in content.main for row in table.rows for failure in row.failures)
    return template("trials.html").render(
        datasets=[what for _, what in _named(content)],
        matrix=matrix,
        costs=[cost for table in content.main for cost in _costs(table)],
        failures=[*failures],
        suite=content.suite,
    )


def provenance(content: Content) -> str:
    """The commands that make these records again, and what made them."""
    facts: dict[str, dict[str, None]] = {}
    for trial in content.trials:
        for key, value in _facts(trial.record.provenance):
            facts.setdefault(key, {})[value] = None
    commands = list(facts.pop("command", {}))
    return template("provenance.html").render(
        commands=commands[:COMMANDS],
        more=len(commands) - COMMANDS,
        facts=[(key, list(values)) for key, values in facts.items()],
        trials=len(content.trials),
        suite=content.suite,
    )


def _named(content: Content) -> list[tuple[Table, str]]:
    """The first protocol's tables with what each is of: the dataset, and the budget where there are several."""
    several = len({table.budget for table in content.main}) > 1
    return [(table, f"{table.dataset}, {budget(table)}" if several else table.dataset) for table in content.main]


def _figures(content: Content, drawn: list[Picture]) -> str:
    shown = []
    for picture in drawn:
        with may_fail(content.store, content.store.home(content.suite), picture.name):
            shown.append((picture, embedded(picture, content.suite)))
    return template("figures.html").render(pictures=shown, suite=content.suite) if shown else ""


def _shown(table: Table) -> dict[str, Any]:
    """A table as its template wants it, its main columns first."""
    headline = table.headline().columns
    whole = replace(table, columns=(*headline, *(column for column in table.columns if column not in headline)))
    return {
        "table": table,
        "title": title(table),
        "columns": [
            (column, text, column in headline) for column, text in zip(whole.columns, headings(whole), strict=True)
        ],
        "some": len(headline) < len(table.columns),
        "rows": [(row, standing(row), _entries(whole, row)) for row in table.rows],
        "notes": notes(table),
    }


def _entries(table: Table, row: Row) -> list[dict[str, Any]]:
    return [
        _entry(row, column, table.band(column.name), text)
        for column, text in zip(table.columns, texts(table, row), strict=True)
    ]


def _entry(row: Row, column: Column, band: tuple[float, float] | None, text: CellText) -> dict[str, Any]:
    """A cell: its number and what is said of it, what it is sorted by, and whether the truth might have scored so."""
    cell = row.cell(column.name)
    value = middle(cell)
    return {
        "number": text.number,
        "rest": text.rest,
        "value": value,
        "values": cell.values,
        "as_true": row.kind == "trainer" and value is not None and band is not None and band[0] <= value <= band[1],
    }


def _reached(of: Reached) -> dict[str, Any]:
    came = sum(steps is not None for steps in of.steps.values())
    return {"trainer": of.trainer, "median": None if math.isinf(of.median) else of.median,
            "came": came, "seeds": len(of.steps)}  # fmt: skip


def _costs(table: Table) -> Iterator[dict[str, Any]]:
    """What a finished trial of each of a table's trainers took, in the middle of its seeds."""
    for trainer, trials in table.finished.items():
        costs = [trial.record.cost for trial in trials]
        compiled = [cost.compile_seconds for cost in costs if cost.compile_seconds is not None]
        yield {
            "dataset": table.dataset,
            "trainer": trainer,
            "budget": budget(table),
            **{unit: median([getattr(cost, unit) for cost in costs]) for unit in COSTS},
            "compile_seconds": median(compiled) if len(compiled) == len(costs) else None,
        }


def _cell(table: Table, label: str) -> Row | None:
    return next((row for row in table.trainers if row.label == label), None)


def _facts(recorded: dict[str, Any], prefix: str = "") -> list[tuple[str, str]]:
    """A record's provenance, line by line, but for the date, which is each trial's own."""
    lines = []
    for key, value in recorded.items():
        if key == "created":
            continue
        if isinstance(value, dict):
            lines += _facts(value, f"{prefix}{key} ")
        else:
            lines.append((f"{prefix}{key}", str(value)))
    return lines
