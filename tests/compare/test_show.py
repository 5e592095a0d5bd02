"""A comparison as people and programs read it."""

import json

import pytest
from rich.cells import cell_len

from genbench.compare import show
from genbench.compare.changes import breaches, changes
from genbench.compare.margins import Margin
from genbench.compare.sides import two_folders

GOOD, BAD = [0.010, 0.012, 0.011, 0.015, 0.013], [0.30, 0.25, 0.41, 0.33, 0.29]
ODD = "gan[loss=[bold]x[/bold] [/] :bomb:]"


@pytest.fixture
def compared(folders):
    """The sides, their changes and what breaks `margins`."""

    def both(*margins):
        sides = two_folders(folders.store("A"), folders.store("B"), folders.suites)
        found = changes(sides.pairs)
        return sides, found, breaches(sides.pairs, found, [Margin.parse(text) for text in margins])

    return both


@pytest.fixture
def printed(compared, capsys, monkeypatch):
    """What the terminal shows, as lines."""

    def lines(*margins):
        monkeypatch.setenv("COLUMNS", "80")
        monkeypatch.delenv("FORCE_COLOR", raising=False)
        show.terminal(*compared(*margins))
        return capsys.readouterr().out.splitlines()

    return lines


def test_columns_and_the_gaps_between_them_fill_80_characters():
    assert sum(show.WIDTHS.values()) + len(show.WIDTHS) - 1 <= 80


def test_long_names_and_large_numbers_are_folded_and_not_cut(folders, printed):
    for side, factor in (("A", -1), ("B", 1)):
        values = {"reverse_kl": [factor * 123456.789 * value for value in BAD]}
        folders.put(side, "wgan-gp[recipe=small-images,penalty=0.1,critic_steps=3,width=128,batch=16]", **values)
    lines = printed()
    assert max(map(cell_len, lines)) <= 80
    assert "…" not in "".join(lines)
    assert "wgan-gp[recipe=small-images,penalty=0.1" in "".join(lines)


def test_names_and_reasons_are_not_taken_for_markup(folders, printed):
    for side in ("A", "B"):
        folders.put(side, ODD, reverse_kl=GOOD)
    folders.put("A", ODD, seeds=[7], reverse_kl=[GOOD[0]])
    folders.fail("B", ODD, seed=7, reason="[red]no[/red]")
    text = "\n".join(printed())
    assert ODD in text
    assert "[red]no[/red]" in text


def test_heading_stands_once_a_dataset(folders, printed):
    for side in ("A", "B"):
        for dataset in ("ring8", "grid25"):
            for trainer in ("gan", "wgan"):
                folders.put(side, trainer, dataset=dataset, reverse_kl=GOOD)
    lines = printed()
    assert sum(line.startswith("metric") for line in lines) == 2
    assert sum(line.startswith("reverse_kl↓") for line in lines) == 4


def test_runs_that_failed_are_counted_and_named_where_a_number_would_stand(folders, printed, compared):
    folders.put("A", reverse_kl=GOOD)
    folders.put("B", reverse_kl=GOOD[:2])
    for seed in range(2, 5):
        folders.fail("B", seed=seed)
    (row,) = [line.split() for line in printed() if line.startswith("reverse_kl↓")]
    assert row[1:5] == ["5/5", "0.012", "failed", "failed"]
    (found,) = json.loads(show.as_json(*compared()))["comparisons"]
    assert (found["n"], found["failed"]) == ([5, 5], [0, 3])
    assert found["medians"] == [0.012, None]
    assert found["worse_by"] == {"value": None, "low": pytest.approx(-0.003), "high": None}
    assert found["means_of_finished"] == [pytest.approx(sum(GOOD) / 5), pytest.approx(0.011)]


@pytest.mark.parametrize(("dead", "worse", "ends"), [("A", "A failed", "A failed to A"), ("B", "failed", "failed to")])
def test_a_side_all_of_whose_runs_failed_is_named(dead, worse, ends, folders, printed, compared):
    alive = "B" if dead == "A" else "A"
    folders.put(alive, reverse_kl=GOOD)
    for seed in range(5):
        folders.fail(dead, seed=seed)
    lines = printed("reverse_kl:+10%")
    (place,) = [place for place, line in enumerate(lines) if line.startswith("reverse_kl↓")]
    medians = {alive: "0.012", dead: "failed"}
    row = lines[place].split()
    assert row[1:4] == ["5/5", medians["A"], medians["B"]]
    assert " ".join(row[4:-4]) == worse
    assert row[-4:] == ["0.0079", {"A": "1.00", "B": "0.00"}[dead], "–", {"A": "better", "B": "worse"}[dead]]
    assert lines[place + 1].strip() == ends
    text = " ".join(" ".join(lines).split())
    assert "inf" not in text
    assert (
        "reverse_kl of gan on ring8 is worse since runs failed, beyond --fail-on reverse_kl:+10%, which allows 0.0012."
        in text
    ) is (dead == "B")
    found = json.loads(show.as_json(*compared("reverse_kl:+10%")))
    (of,) = found["comparisons"]
    assert of["worse_by"] == {"value": None, "low": None, "high": None}
    assert of["medians"] == [{"A": None, "B": 0.012}[dead], {"A": 0.012, "B": None}[dead]]
    assert [breach["worsening"] for breach in found["breaches"]] == [None] * (dead == "B")


def test_json_has_no_number_where_there_is_none(folders, compared):
    folders.put("A", hq=GOOD, std_ratio=GOOD)
    folders.put("B", hq=GOOD, std_ratio=[None] * 5)
    found = {one["metric"]: one for one in json.loads(show.as_json(*compared()))["comparisons"]}
    assert found["std_ratio"]["medians"] == [0.012, None]
    assert found["std_ratio"]["worse_by"] is found["std_ratio"]["p"] is found["std_ratio"]["least_p_alone"] is None


def test_breaches_are_in_json_with_what_was_allowed(folders, compared):
    folders.put("A", reverse_kl=GOOD)
    folders.put("B", reverse_kl=BAD)
    (breach,) = json.loads(show.as_json(*compared("reverse_kl:+0.1")))["breaches"]
    assert breach == {
        "fail_on": "reverse_kl:+0.1", "suite": "made-up", "dataset": "ring8", "trainer": "gan", "metric": "reverse_kl",
        "worsening": pytest.approx(0.288), "allowed": 0.1,
    }  # fmt: skip
