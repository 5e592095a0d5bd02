"""One table, many formats: each is read back, and all hold the same numbers."""

import csv
import io
import json
import re
from itertools import pairwise

import pyarrow.parquet
import pytest
from made_up_tables import EVERYTHING, FULL, cells
from made_up_tables import table as made_up_table

from genbench.report import formats
from genbench.report.formats.latex import MARKUP
from genbench.report.model import Row

TABLES = {"full": FULL, "everything": EVERYTHING}
FAILING = made_up_table(
    Row("trainer", "gan", cells(1, modes=(5.0, 6.0, 7.0, 8.0), reverse_kl=(0.125, 0.25, 0.375, 0.5)), 4, 5,
        ("seed 3: crashed: ah",)),
    Row("trainer", "wgan", cells(3, modes=(6.0, 8.0), reverse_kl=(0.25, 0.5)), 2, 5, ("seed 3: crashed: ah",) * 3),
)  # fmt: skip
"""Where most runs failed, so that the median did, and where one did and is an interval's end."""

FIELDS = ("median", "mean", "low", "high", "spread", "lost")


def of_json(table):
    (found,) = json.loads(formats.as_json([table]))
    return {
        (row["label"], name): (
            tuple(cell.get(field) for field in FIELDS),
            cell["letters"],
            cell["values"],
            cell["seeds"],
        )
        for row in found["rows"]
        for name, cell in row["cells"].items()
    }


def of_csv(table):
    lines = csv.DictReader(io.StringIO(formats.comma_separated([table])))
    return {
        (line["row"], line["metric"]): (
            tuple(float(line[field]) if line[field] else None for field in FIELDS),
            line["letters"],
            [float(value) for value in line["values"].split()],
            [int(seed) for seed in line["seeds"].split()],
        )
        for line in lines
        if line["metric"]
    }


def of_parquet(table):
    lines = pyarrow.parquet.read_table(io.BytesIO(formats.parquet([table]))).to_pylist()
    return {
        (line["row"], line["metric"]): (
            tuple(line[field] for field in FIELDS),
            line["letters"],
            line["values"],
            line["seeds"],
        )
        for line in lines
        if line["metric"]
    }


def of_markdown(table):
    """The cells as they are read, by row and metric."""
    lines = [line for line in formats.markdown([table]).splitlines() if line.startswith("|")]
    heading, _, *rows = [[text.strip() for text in line.strip("|").split("|")] for line in lines]
    return by_place(heading[2:], [(label, texts) for label, _, *texts in rows])


def of_latex(table):
    lines = [line for line in formats.latex([table]).splitlines() if line.endswith(r"\\")]
    heading, *rows = [[plain(text) for text in line.removesuffix(r"\\").split(" & ")] for line in lines]
    return by_place(heading[2:], [(label, texts) for label, _, *texts in rows])


def of_terminal(table, capsys, monkeypatch):
    """Cells go on over several lines, each right-aligned under its heading."""
    monkeypatch.setenv("COLUMNS", "160")
    monkeypatch.delenv("FORCE_COLOR", raising=False)
    formats.terminal([table])
    lines = iter(capsys.readouterr().out.splitlines())
    heading = next(line for line in lines if "modes↑" in line)
    ends = [match.end() for match in re.finditer(r"\S+", heading)]
    labels = {row.label for row in table.rows}
    rows = []
    for line in lines:
        first = re.split(r"\s{2,}", line[: ends[0]].strip())
        texts = [first[-1] if len(first) > 1 or line[:2].isspace() else "",
                 *(line[a:b].strip() for a, b in pairwise(ends))]  # fmt: skip
        if first[0] in labels:
            rows.append((first[0], texts))
        elif line.startswith("seed 3: crashed"):  # the notes begin
            break
        elif rows and line.strip():
            label, before = rows[-1]
            rows[-1] = (label, [" ".join(filter(None, pair)) for pair in zip(before, texts, strict=True)])
    return by_place(heading.split(), rows)


def by_place(headings, rows):
    return {
        (label, name.rstrip("↑↓")): text
        for label, texts in rows
        for name, text in zip(headings, texts, strict=True)
        if text not in ("", "–")
    }


def plain(text):
    """What LaTeX prints."""
    text = re.sub(r"\\textbf\{(.*)\}$", r"\1", text.strip())
    for shown, markup in sorted(MARKUP.items(), key=lambda pair: len(pair[1]), reverse=True):
        text = text.replace(markup, "-" if shown == "−" else shown)
    return text


@pytest.mark.parametrize("table", TABLES.values(), ids=TABLES)
def test_formats_for_programs_hold_the_same_numbers_to_the_last_digit(table):
    found = of_json(table)
    assert len(found) > 5
    assert of_csv(table) == found
    assert of_parquet(table) == found


@pytest.mark.parametrize("table", TABLES.values(), ids=TABLES)
def test_formats_for_people_show_the_same_texts(table, capsys, monkeypatch):
    found = of_markdown(table)
    assert of_latex(table) == found
    assert of_terminal(table, capsys, monkeypatch) == found


@pytest.mark.parametrize("table", TABLES.values(), ids=TABLES)
def test_what_people_read_is_what_programs_read_rounded(table):
    shown, exact = of_markdown(table), of_json(table)
    assert {place for place, text in shown.items() if text != "failed"} == exact.keys()
    for place, text in ((place, text) for place, text in shown.items() if text != "failed"):
        (middle, _, low, high, spread, lost), letters, values, _ = exact[place]
        if middle is None:
            assert text in (formats.number(low), f"{formats.number(low)} to {formats.number(high)}")
            continue
        first, *rest = text.split(" ", 1)
        assert first == formats.number(values[0] if len(values) + lost == 2 and len(set(values)) > 1 else middle)
        assert ("±" in text) is (spread is not None)
        if spread is not None:
            assert rest[0].startswith(f"±{spread:.2g} ")
        elif low is not None and len(set(values)) > 1:
            assert rest[0].startswith(f"[{formats.number(low)}, {formats.number(high)}]")
        assert letters in text.split() or not letters


@pytest.mark.parametrize("read", [of_json, of_csv, of_parquet])
def test_a_median_or_an_end_that_failed_is_no_number_to_programs(read):
    """Median, mean of those that finished, low, high, spread and how many were lost."""
    assert {place: of[0] for place, of in read(FAILING).items()} == {
        ("gan", "modes"): (6, 6.5, None, 8, None, 1),
        ("gan", "reverse_kl"): (0.375, 0.3125, 0.125, None, None, 1),
        ("wgan", "modes"): (None, 7, None, 8, None, 3),
        ("wgan", "reverse_kl"): (None, 0.375, 0.25, None, None, 3),
    }


def test_a_median_or_an_end_that_failed_is_called_so_to_people(capsys, monkeypatch):
    found = of_markdown(FAILING)
    assert found == {
        ("gan", "modes"): "6 [failed, 8]",
        ("gan", "reverse_kl"): "0.375 [0.125, failed]",
        ("wgan", "modes"): "failed [failed, 8]",
        ("wgan", "reverse_kl"): "failed [0.25, failed]",
    }
    assert of_latex(FAILING) == found
    assert of_terminal(FAILING, capsys, monkeypatch) == found
