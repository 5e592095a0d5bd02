"""`genbench report`: the same numbers in every format, drawn from what is stored, whatever else lies there."""

import csv
import io
import json
import math
import os
import re
import shutil
from pathlib import Path

import pandas as pd
import pytest
from rich.cells import cell_len

from genbench.records.store import Store
from genbench.report.formats import number


def cells(tables):
    """Every median in the JSON of a report, by dataset, row and metric."""
    return {
        (table["dataset"], row["label"], name): cell["median"]
        for table in tables
        for row in table["rows"]
        for name, cell in row["cells"].items()
    }


def tables(ran):
    assert ran.code == 0
    return json.loads(ran.out)


def record_of(results, trainer, seed):
    (path,) = results.glob(f"toy2d-smoke/ring8/{trainer}/seed-{seed}-*/record.json")
    return path


def test_medians_are_those_of_the_stored_scores(results, genbench):
    shown = cells(tables(genbench("report", results, "--format", "json", "--no-figures")))
    stored = {"gan": [], "wgan-gp": []}
    for found in Store(results).trials("toy2d-smoke"):
        (value,) = [score.value for score in found.scores.scores if score.name == "w2"]
        stored[found.record.trial.trainer.label].append(value)
    for trainer, values in stored.items():
        assert shown["ring8", trainer, "w2"] == pytest.approx(sum(values) / 2)


def test_json_names_every_columns_identity(results, genbench):
    (table,) = tables(genbench("report", results, "--format", "json", "--no-figures"))
    assert {column["identity"]["protocol"] for column in table["columns"]} == {table["protocol"]} == {"smoke"}
    assert {(row["label"], row["finished"], row["planned"]) for row in table["rows"] if row["kind"] == "trainer"} == {
        ("gan", 2, 2),
        ("wgan-gp", 2, 2),
    }
    assert {"oracle", "noise", "gaussian"} < {row["label"] for row in table["rows"] if row["kind"] == "control"}


def test_csv_carries_the_same_numbers_as_json(results, genbench):
    as_json = tables(genbench("report", results, "--format", "json", "--no-figures"))
    rows = csv.DictReader(io.StringIO(genbench("report", results, "--format", "csv", "--no-figures").out))
    as_csv = {
        (row["dataset"], row["row"], row["metric"]): float(row["median"]) if row["median"] else None for row in rows
    }
    assert as_csv == cells(as_json)


def test_markdown_carries_the_same_numbers_as_json(results, genbench):
    found = tables(genbench("report", results, "--format", "json", "--no-figures"))
    medians = cells(found)
    values = {
        (row["label"], name): cell["values"]
        for table in found
        for row in table["rows"]
        for name, cell in row["cells"].items()
    }
    lines = genbench("report", results, "--format", "md", "--all-metrics", "--no-figures").out.splitlines()
    heading, _, *rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line[:1] == "|"]
    metrics = [name.rstrip("↑↓") for name in heading[2:]]
    compared = 0
    for label, _, *texts in rows:
        for metric, text in zip(metrics, texts, strict=True):
            middle, of = medians.get(("ring8", label, metric)), values.get((label, metric), [])
            if middle is None:
                continue
            both = len(of) == 2 and number(of[0]) != number(of[1])
            assert text == f"{number(of[0])} and {number(of[1])}" if both else text.split()[0] == number(middle)
            compared += 1
    assert compared == sum(middle is not None for middle in medians.values())


@pytest.mark.parametrize("format_", ["md", "csv", "json", "latex"])
def test_file_holds_what_would_have_been_printed(format_, results, genbench):
    printed = genbench("report", results, "--no-figures", "--format", format_).out
    ran = genbench("report", results, "--no-figures", "--format", format_, "--file", "tables/here")
    assert (ran.code, ran.out) == (0, "")
    assert Path("tables/here").read_text(encoding="utf-8") == printed


def test_parquet_carries_the_same_numbers_as_json(results, genbench):
    medians = cells(tables(genbench("report", results, "--format", "json", "--no-figures")))
    ran = genbench("report", results, "--format", "parquet", "--no-figures", "--file", "tables.parquet")
    assert (ran.code, ran.out, ran.err) == (0, "", "")
    frame = pd.read_parquet("tables.parquet")
    assert {
        (line.dataset, line.row, line.metric): None if math.isnan(line.median) else line.median
        for line in frame.itertuples()
    } == medians


def test_file_that_cannot_be_written_is_named(results, genbench):
    Path("taken").write_text("a file")
    ran = genbench("report", results, "--no-figures", "--format", "md", "--file", "taken/tables.md")
    assert ran.code == 2
    assert "Can't write taken/tables.md" in ran.err
    assert "--file FILE" in ran.err


def test_file_is_written_behind_a_link_and_nothing_but_a_file_is_replaced(results, genbench):
    Path("link.md").symlink_to("tables.md")
    os.mkfifo("pipe")
    command = ("report", results, "--no-figures", "--format", "md", "--file")
    assert genbench(*command, "link.md").code == 0
    assert Path("link.md").is_symlink()
    assert "reverse_kl" in Path("tables.md").read_text()
    ran = genbench(*command, "pipe")
    assert ran.code == 2
    assert "Can't write pipe (not a regular file). Give another: --file FILE" in ran.err
    assert Path("pipe").is_fifo()


def test_plan_that_is_gone_is_told(results, genbench):
    assert "is missing" not in genbench("report", results, "--no-figures").err
    (results / "toy2d-smoke/suite.json").unlink()
    assert "suite.json is missing, so nothing says which trials are" in genbench("report", results, "--no-figures").err


def test_terminal_shows_every_trainer_and_control(results, genbench):
    ran = genbench("report", results, "--no-figures")
    assert ran.code == 0
    for label in ("gan", "wgan-gp", "oracle", "noise", "gaussian", "centres", "half-dropped", "null band"):
        assert re.search(rf"^ *{label} ", ran.out, re.MULTILINE)
    assert "ring8, steps=5, protocol smoke (suite toy2d-smoke)" in ran.out


@pytest.mark.parametrize("options", [[], ["--all-metrics"]], ids=["headline", "all"])
def test_terminal_of_80_columns_holds_every_line_and_cuts_nothing_off(options, results, genbench):
    out = genbench("report", results, "--no-figures", *options).out
    assert max(map(cell_len, out.splitlines())) <= 80
    assert "…" not in out


@pytest.mark.parametrize("format_", ["terminal", "md", "csv", "json", "latex"])
def test_report_is_the_same_twice(format_, results, genbench):
    once, again = (genbench("report", results, "--no-figures", "--format", format_) for _ in range(2))
    assert once == again
    assert once.out


def test_pictures_lie_beside_the_results_and_equal_results_give_equal_bytes(results, genbench, tmp_path):
    ran = genbench("report", results)
    assert ran.code == 0
    drawn = sorted((results / "report" / "toy2d-smoke").iterdir())
    assert [path.name for path in drawn] == ["curves-ring8.png", "landscapes.png", "strip-ring8.png"]
    assert sorted(ran.err.split()) == sorted(map(str, drawn))
    genbench("report", results, "--out", tmp_path / "pictures")
    for path in drawn:
        assert (tmp_path / "pictures" / "toy2d-smoke" / path.name).read_bytes() == path.read_bytes()
    assert 'id="toy2d-smoke-verdict"' in (tmp_path / "pictures" / "index.html").read_text(encoding="utf-8")


@pytest.mark.parametrize("out", [None, "page"])
def test_folder_that_cannot_be_written_to_costs_the_pictures_and_not_the_tables(out, results, genbench):
    folder = Path(out) if out else results / "report"
    folder.write_bytes(b"no folder")
    ran = genbench("report", results, "--format", "md", *(("--out", out) if out else ()))
    assert ran.code == 2
    assert "| gan |" in ran.out
    assert ran.err.splitlines()[-1].startswith(f"genbench: Can't write to {folder} (")
    assert ran.err.endswith("Name another folder, --out DIR, or draw nothing: --no-figures\n")


def test_page_is_shown_where_it_is_written(results, genbench, monkeypatch):
    shown = []
    monkeypatch.setattr("webbrowser.open", shown.append)
    assert genbench("report", results, "--no-figures", "--open").code == 0
    (address,) = shown
    assert address == (results / "report" / "index.html").resolve().as_uri()
    assert (results / "report" / "index.html").exists()


def test_report_without_pictures_writes_nothing(results, genbench):
    before = {path: path.stat().st_mtime_ns for path in results.rglob("*")}
    genbench("report", results, "--no-figures")
    assert {path: path.stat().st_mtime_ns for path in results.rglob("*")} == before


SPOILT = {
    "cut off": (lambda text: text[: len(text) // 2], "not JSON"),
    "foreign": (lambda text: '{"name": "something else"}', "no schema_version"),
    "too new": (lambda text: text.replace('"schema_version": ', '"schema_version": 99'), "upgrade"),
    "of another shape": (lambda text: text.replace('"status"', '"state"'), "status"),
}


@pytest.mark.parametrize("case", SPOILT)
def test_bad_record_is_named_and_the_rest_still_reports(case, results, genbench):
    spoil, reason = SPOILT[case]
    bad = record_of(results, "gan", 0)
    bad.write_text(spoil(bad.read_text()))
    ran = genbench("report", results, "--format", "json", "--no-figures")
    (table,) = tables(ran)
    (line,) = ran.err.splitlines()
    assert line.startswith(f"Unreadable, left out: {bad}: ")
    assert reason in line
    finished = {row["label"]: (row["finished"], row["planned"]) for row in table["rows"] if row["kind"] == "trainer"}
    assert finished == {"gan": (1, 2), "wgan-gp": (2, 2)}


@pytest.mark.parametrize("name", ["scores.json", "controls.json", "suite.json"])
def test_other_bad_files_are_named_too(name, results, genbench):
    bad = next(iter(sorted(results.rglob(name))))
    bad.write_text("{")
    ran = genbench("report", results, "--no-figures")
    assert ran.code == 0
    assert f"{bad}: not JSON" in ran.err


@pytest.mark.parametrize("name", ["samples.safetensors", "curve.parquet"])
def test_picture_that_cannot_be_drawn_does_not_take_the_tables_along(name, results, genbench):
    bad = next(iter(sorted(results.rglob(name))))
    bad.write_bytes(b"cut off")
    ran = genbench("report", results)
    assert "wgan-gp" in ran.out
    assert str(bad) in ran.err
    assert "Traceback" not in ran.err


def test_failed_trial_is_a_line_under_its_table(smoke, genbench, misfits, tmp_path):
    smoke("--trainer", "behaves,crashes", "--plugin", misfits)
    ran = genbench("report", tmp_path / "out", "--no-figures")
    assert ran.code == 0
    assert "crashes on ring8, seed 0: crashed: ValueError: no such luck" in " ".join(ran.out.split())
    assert "0/1 seeds" in ran.out


def test_trials_that_are_missing_are_counted(results, genbench):
    shutil.rmtree(record_of(results, "gan", 1).parent)
    assert "| gan | 1/2 seeds |" in genbench("report", results, "--format", "md", "--no-figures").out


def test_without_runs_of_ones_own_the_reference_is_reported(once, tmp_path, genbench):
    shutil.copytree(once[0], tmp_path / "results" / "reference")
    ran = genbench("report", "results/", "--format", "json", "--no-figures")
    assert "results holds no runs of yours; this is results/reference." in ran.err
    assert len(cells(tables(ran))) > 10


def test_runs_of_ones_own_are_never_mixed_with_the_reference(results, genbench):
    shutil.copytree(results / "toy2d-smoke", results / "reference" / "toy2d-smoke")
    shutil.rmtree(record_of(results, "gan", 1).parent)
    ran = genbench("report", results, "--format", "json", "--no-figures")
    assert ran.err == ""
    (table,) = tables(ran)
    assert {row["label"]: row["finished"] for row in table["rows"] if row["kind"] == "trainer"} == {
        "gan": 1,
        "wgan-gp": 2,
    }


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["none"], "none is not a folder"),
        (["."], "holds no results. Make some: genbench run --suite toy2d --out ."),
        (
            ["results", "--suite", "toy2d-smok"],
            "No suite with results is named 'toy2d-smok'. Did you mean toy2d-smoke?",
        ),
        (["results", "--protocol", "pacgan"], "No protocol is named 'pacgan'. Did you mean pacgan2018?"),
        (["results", "--format", "xml"], "--format"),
        (["results", "--format", "parquet"], "genbench report results --format parquet --file FILE"),
        (["results", "--file", "tables"], "--file tables needs a format"),
    ],
    ids=str,
)
def test_refuses_what_it_cannot_report(options, message, results, genbench):
    ran = genbench("report", *options)
    assert (ran.code, ran.out) == (2, "")
    assert message in ran.err


def test_protocol_without_scores_shows_no_numbers_and_no_traceback(results, genbench):
    ran = genbench("report", results, "--protocol", "pacgan2018", "--format", "json", "--no-figures")
    assert cells(tables(ran)) == {}
