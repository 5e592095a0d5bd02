"""The same numbers in every format, and no text that a format takes for its own markup."""

import csv
import io
import json
import re
from dataclasses import replace

import pytest
from made_up_tables import CONTROL, EVERYTHING, FAILED, FULL, ODD, SOURCE, TRAINED, cells, column, table

from genbench.report import formats
from genbench.report.formats.text import title
from genbench.report.model import Cell, Row
from genbench.scoring.protocols import protocol


@pytest.fixture
def printed(capsys, monkeypatch):
    """`printed(table, …)`: what the terminal shows."""

    def show(*tables, width=160):
        monkeypatch.setenv("COLUMNS", str(width))
        monkeypatch.delenv("FORCE_COLOR", raising=False)
        formats.terminal(tables)
        return capsys.readouterr().out

    return show


@pytest.fixture(params=["terminal", "md", "csv", "json"])
def rendered(request, printed):
    """`rendered(table, …)` in each format that shows a label as it is."""
    written = {"md": formats.markdown, "csv": formats.comma_separated, "json": formats.as_json}
    return printed if request.param == "terminal" else lambda *tables: written[request.param](tables)


def cells_of(markdown, label):
    """A Markdown row's cells after its label."""
    (line,) = [line for line in markdown.splitlines() if line.startswith(f"| {label} |")]
    return [text.strip() for text in re.split(r"(?<!\\)\|", line)[2:-1]]


def test_markdown_shows_medians_with_their_ends_and_what_is_missing():
    text = formats.markdown([FULL])
    assert "**ring8, steps=40, protocol genbench1 (suite made-up)**" in text
    assert "| | | modes↑ | reverse_kl↓ | std_ratio |" in text
    assert cells_of(text, "gan") == ["3/4 seeds", "7.5 [failed, 8]", "–", "1.02 (1/3)"]
    assert cells_of(text, "wgan") == ["0/2 seeds", "failed", "failed", "failed"]
    assert cells_of(text, "oracle") == ["2 draws", "8 (all)", "0.0012 and 0.0014", "–"]
    assert cells_of(text, "null band") == ["", "8", "0.0003 to 0.0029", "–"]
    assert "- seed 3: crashed: ah" in text
    assert "- Mind the gap." in text
    assert text.endswith(formats.LEGEND + "\n")


@pytest.mark.parametrize(
    ("column", "values", "lost", "text"),
    [
        ("reverse_kl", (0.25,), 0, "0.25"),
        ("reverse_kl", (0.25, 0.5), 0, "0.25 and 0.5"),
        ("reverse_kl", (0.25,), 1, "0.25 and failed"),
        ("reverse_kl", (0.25, 0.5, 0.125), 0, "0.25 [0.125, 0.5]"),
        ("reverse_kl", (0.25, 0.5, 0.125, 1.0), 0, "0.375 [0.125, 1]"),
        ("reverse_kl", (0.1, 0.2, 0.3, 0.4, 0.5), 0, "0.3 [0.1, 0.5]"),
        ("reverse_kl", (0.1, 0.2, 0.3, 0.4), 1, "0.3 [0.1, failed]"),
        ("reverse_kl", (0.1, 0.2), 3, "failed [0.1, failed]"),
        ("reverse_kl", tuple(i / 10 for i in range(1, 10)), 0, "0.5 [0.2, 0.8]"),
        ("modes", (8.0, 8.0, 8.0, 5.0, 8.0), 0, "8 [5, 8]"),
        ("modes", (8.0, 8.0, 8.0, 8.0, 8.0), 0, "8 (all)"),
        ("modes", (8.0, 8.0, 8.0, 8.0), 1, "8 [failed, 8]"),
        ("modes", (1.0, *(8.0,) * 9), 0, "8 [1, 8]"),
        ("std_ratio", (0.5, 0.6, 0.7), 2, "0.6 [0.5, 0.7] (3/5)"),
        ("std_ratio", (), 2, "failed"),
    ],
)
def test_a_cell_shows_what_happened(column, values, lost, text):
    failures = tuple(f"seed {seed}: diverged: nan" for seed in range(lost))
    row = Row(
        "trainer", "gan", cells(lost, **{column: values}) if values else {}, len(values), len(values) + lost, failures
    )
    assert cells_of(formats.markdown([table(row, columns=[column])]), "gan")[1] == text


def test_a_run_that_finished_with_nothing_to_measure_has_not_failed():
    def shown(*values):
        of = Cell.of(dict(enumerate(values)), False, undefined=2)
        row = Row("trainer", "gan", {"reverse_kl": of}, 2 + len(values), 2 + len(values))
        return cells_of(formats.markdown([table(row, columns=["reverse_kl"])]), "gan")[1]

    assert shown(0.1, 0.2, 0.3) == "0.3 [0.1, none] (3/5)"
    assert shown() == "none"


def test_markdown_rows_have_as_many_cells_as_the_heading():
    lines = [line for line in formats.markdown([FULL]).splitlines() if line.startswith("|")]
    assert {len(re.findall(r"(?<!\\)\|", line)) for line in lines} == {6}
    assert lines[1] == "|---|---|---:|---:|---:|"


@pytest.mark.parametrize(
    "shown",
    ["ring8, steps=40", "modes↑", "reverse_kl↓", "7.5", "[failed, 8]", "1.02", "(1/3)", "3/4 seeds", "0/2 seeds",
     "oracle", "null band", "seed 3: crashed: ah", "Mind the gap.", "Median over seeds"],
)  # fmt: skip
def test_terminal_shows_the_same_cells(shown, printed):
    assert shown in printed(FULL)


@pytest.mark.parametrize(
    ("ends", "text"),
    [((0.5, 0.75), "0.5 to 0.75"), ((0.0, 0.75), "0 to 0.75"), ((-9.0, -8.0), "-9 to -8"), ((-1.0, 1.0), "-1 to 1")],
)
def test_dash_between_the_ends_of_a_band_is_no_minus(ends, text):
    band = Row("null band", "null band", {"std_ratio": Cell(band=ends)})
    assert cells_of(formats.markdown([table(TRAINED, band)]), "null band")[-1] == text


def test_bar_in_a_columns_name_is_no_border_of_a_cell():
    odd = replace(column("hq"), name="a|b")
    text = formats.markdown([replace(table(TRAINED), columns=(odd,))])
    assert len({len(re.findall(r"(?<!\\)\|", line)) for line in text.splitlines() if line.startswith("|")}) == 1


def test_external_rows_are_called_so_in_every_format(rendered):
    text = rendered(table(Row("external", "mine", cells(modes=(8.0,)), 1, 1), CONTROL))
    assert "mine" in text
    assert "external" in text


def test_title_without_a_suite_names_none():
    assert title(replace(FULL, suite="")) == "ring8, steps=40, protocol genbench1"


def test_eighty_characters_hold_a_headline_table(printed):
    names = [name for name in protocol("genbench1").headline if not name.startswith(("arc", "curve"))]
    row = Row("trainer", "wgan-gp", cells(**dict.fromkeys(names, (0.123, 0.456, 0.789))), 3, 3)
    text = printed(table(row, columns=names), width=80)
    assert text.split("\n", 2)[2].count("0.456") == len(names)
    assert all(name in text for name in names)


def test_json_holds_everything():
    (found,) = json.loads(formats.as_json([FULL]))
    assert (found["suite"], found["dataset"], found["budget"], found["protocol"]) == (
        "made-up", "ring8", "steps=40", "genbench1",
    )  # fmt: skip
    assert [column["name"] for column in found["columns"]] == ["modes", "reverse_kl", "std_ratio"]
    assert found["columns"][1]["unit"] == "nats"
    assert found["columns"][1]["higher_is_better"] is False
    assert found["columns"][0]["identity"]["n"] == 10_000
    rows = {row["label"]: row for row in found["rows"]}
    assert rows["gan"]["cells"]["modes"] == {
        "median": 7.5, "low": None, "high": None, "letters": "", "lost": 1, "mean": pytest.approx(23 / 3),
        "seeds": [0, 1, 2], "values": [7, 8, 8],
    }  # fmt: skip
    assert found["verdict"].startswith("ring8: nothing to judge yet.")
    assert rows["gan"]["cells"]["std_ratio"] == {
        "median": 1.02, "low": None, "high": None, "letters": "", "lost": 1, "mean": 1.02, "seeds": [0],
        "values": [1.02],
    }  # fmt: skip
    assert (rows["gan"]["finished"], rows["gan"]["planned"]) == (3, 4)
    assert rows["wgan"]["failures"] == list(FAILED.failures)
    assert rows["null band"]["cells"]["reverse_kl"] == {
        "median": None, "low": 0.0003, "high": 0.0029, "letters": "", "lost": 0, "mean": None, "seeds": [],
        "values": [],
    }  # fmt: skip
    assert found["notes"] == ["Mind the gap."]


def test_csv_and_json_hold_the_same_numbers_to_the_last_digit():
    lines = list(csv.DictReader(io.StringIO(formats.comma_separated([FULL]))))
    (found,) = json.loads(formats.as_json([FULL]))
    by_json = {(row["label"], name): cell for row in found["rows"] for name, cell in row["cells"].items()}
    by_csv = {(line["row"], line["metric"]): line for line in lines if line["metric"]}
    assert by_csv.keys() == by_json.keys()
    for key, line in by_csv.items():
        for field in ("median", "mean", "low", "high"):
            assert (float(line[field]) if line[field] else None) == by_json[key][field]
        assert [float(value) for value in line["values"].split()] == by_json[key]["values"]
    assert by_csv["gan", "modes"]["finished"] == "3"
    assert by_csv["gan", "modes"]["planned"] == "4"
    assert by_csv["gan", "modes"]["n"] == "10000"
    assert by_csv["gan", "modes"]["unit"] == "modes"


def test_trainer_that_always_failed_is_in_every_format(rendered):
    assert "wgan" in rendered(table(FAILED, TRAINED))


def test_label_stands_in_every_format_as_it_is(rendered):
    text = rendered(table(Row("trainer", ODD, cells(modes=(8.0,)), 1, 1)))
    assert ODD in text.replace("\\|", "|")


def test_notes_and_failures_are_not_taken_for_markup(printed):
    row = Row("trainer", "gan", {}, 0, 1, ("seed 0: crashed: [bold]not markup[/bold] [/] :bomb:",))
    text = printed(table(row, notes=["see [red]this[/red]"]))
    assert "[bold]not markup[/bold] [/] :bomb:" in text
    assert "[red]this[/red]" in text


def test_pipes_do_not_end_a_markdown_cell():
    row = Row("trainer", "gan[loss=a|b]", cells(modes=(8.0,)), 1, 1, ("a | b",))
    text = formats.markdown([table(row, columns=["modes"])])
    assert cells_of(text, r"gan[loss=a\|b]") == ["1 seeds", "8"]
    assert r"- a \| b" in text


def test_reason_of_several_lines_stays_one_note():
    row = Row("trainer", "gan", {}, 0, 1, ("seed 0: crashed: RuntimeError: one\n\ntwo\n| three",))
    _, _, notes = formats.markdown([table(row)]).partition("\n\n- ")
    note, _, rest = notes.partition("\n\n")
    assert "two" in note
    assert rest == formats.LEGEND + "\n"


def test_tables_follow_each_other_in_every_format(rendered):
    text = rendered(FULL, replace(table(CONTROL), dataset="grid25"))
    assert 0 <= text.index("ring8") < text.index("grid25")


def test_no_tables_are_no_error(rendered):
    rendered()


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (8.0, "8"),
        (0.0, "0"),
        (0.98844, "0.988"),
        (0.00048, "0.00048"),
        (-0.1234, "-0.123"),
        (123.4, "123"),
        (10_000.0, "10000"),
    ],
)
def test_numbers_have_three_digits(value, text):
    assert formats.number(value) == text


def test_published_numbers_are_marked_with_their_source_in_every_format(rendered):
    text = rendered(EVERYTHING)
    assert "PacGAN2" in text
    assert SOURCE in text


def test_published_numbers_stand_with_their_spreads_kind_and_no_letters():
    text = formats.markdown([EVERYTHING])
    assert cells_of(text, "PacGAN2") == [f"10 runs, {SOURCE}", "7.9 ±0.1 SE", "0.07 ±0.03 SD", "–"]
    assert cells_of(text, "GAN") == ["arXiv:1705.07761, table 1", "1", "–", "–"]
    assert "They take part in no test" in text
    assert "They take part in no test" not in formats.markdown([FULL])


def test_published_numbers_are_apart_from_values_in_json():
    (found,) = json.loads(formats.as_json([EVERYTHING]))
    row = next(row for row in found["rows"] if row["label"] == "PacGAN2")
    assert (row["kind"], row["source"], row["finished"]) == ("published", SOURCE, 10)
    assert row["cells"]["modes"] == {
        "median": 7.9, "low": None, "high": None, "letters": "", "lost": 0, "mean": None, "seeds": [], "values": [],
        "spread": 0.1, "spread_kind": "standard error",
    }  # fmt: skip
