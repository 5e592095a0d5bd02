"""`genbench score --save`: kept under a name, and shown by reports beside what was trained."""

import json
from pathlib import Path

import made_up
import numpy as np
import pytest

from genbench.records.store import Store

RING = ("--dataset", "ring8", "--protocol", "smoke")


def test_saved_scores_stand_in_the_report(results, mine, score, genbench):
    ran = genbench("score", mine, *RING, "--save", "my model", "--out", results, "--json")
    assert ran.code == 0
    assert "Kept as 'my model'" in ran.err
    assert json.loads(ran.out) == score(mine, *RING)
    shown = genbench("report", results, "--no-figures", "--format", "json")
    (table,) = json.loads(shown.out)
    kinds = [row["kind"] for row in table["rows"]]
    assert kinds == sorted(kinds, key=["trainer", "external", "control", "null band"].index)
    (row,) = [row for row in table["rows"] if row["kind"] == "external"]
    assert row["label"] == "my model"
    scores = {name: of["value"] for name, of in json.loads(ran.out)["scores"].items() if of["value"] is not None}
    assert {name: cell["median"] for name, cell in row["cells"].items()} == scores
    assert {cell["letters"] for cell in row["cells"].values()} == {""}
    assert "no test compares them" in " ".join(table["notes"])


@pytest.mark.parametrize(("options", "ways"), [([], ["smoke", "pacgan2018"]), (["--protocol", "smoke"], ["smoke"])])
def test_saved_scores_are_reported_where_nothing_was_trained(options, ways, mine, points, genbench):
    np.save(mine, np.tile(points, (3, 1)))
    for way in ("smoke", "pacgan2018"):
        genbench("score", mine, "--dataset", "ring8", "--protocol", way, "--save", "mine", "--json")
    ran = genbench("report", "results", "--format", "json", "--no-figures", *options)
    assert ran.code == 0
    found = json.loads(ran.out)
    assert [(table["dataset"], table["protocol"]) for table in found] == [("ring8", way) for way in ways]
    assert [row["kind"] for row in found[0]["rows"]] == ["external", "null band"]
    assert found[0]["rows"][0]["cells"].keys() == found[0]["rows"][1]["cells"].keys() > {"hq", "w2"}
    assert genbench("report", "results").code == 0


def test_saved_entry_says_where_it_came_from(mine, genbench):
    assert genbench("score", mine, *RING, "--save", "mine", "--json").code == 0
    (entry,) = Store(Path("results")).externals()
    assert (entry.name, entry.source, entry.n, entry.budget) == ("mine", "mine.npy", 1_000, "unknown")
    assert entry.provenance["command"].startswith("genbench score mine.npy --dataset ring8")


def test_scores_under_another_protocol_join_the_entry(mine, points, genbench):
    points = np.tile(points, (3, 1))
    np.save(mine, points)
    for way in ("smoke", "pacgan2018"):
        genbench("score", mine, "--dataset", "ring8", "--protocol", way, "--save", "mine", "--json")
    (entry,) = Store(Path("results")).externals()
    assert {score.identity.protocol for score in entry.scores} == {"smoke", "pacgan2018"}
    np.save("mine.npy", points[::-1])
    genbench("score", mine, *RING, "--save", "mine", "--json")
    (entry,) = Store(Path("results")).externals()
    assert {score.identity.protocol for score in entry.scores} == {"smoke", "pacgan2018"}
    np.save("mine.npy", points * 1.01)
    genbench("score", mine, *RING, "--save", "mine", "--json")
    (entry,) = Store(Path("results")).externals()
    assert {score.identity.protocol for score in entry.scores} == {"smoke"}


def test_folder_that_cannot_be_written_to_is_refused_before_scoring(mine, genbench):
    Path("taken").touch()
    ran = genbench("score", mine, *RING, "--save", "mine", "--out", "taken", "--json")
    assert (ran.code, ran.out) == (2, "")
    assert "Can't write to taken" in ran.err


def test_suite_cannot_take_the_externals_folder():
    with pytest.raises(ValueError, match="'external' are taken"):
        made_up.suite(name="external")
