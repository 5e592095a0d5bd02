"""`genbench new`, `check` and `time`: from an empty folder to a thing of one's own that keeps to the contract."""

import json

import pytest
from rich.cells import cell_len


@pytest.fixture
def suite(genbench):
    """The path of a suite that `genbench new` wrote."""
    assert genbench("new", "suite", "my-suite").code == 0
    return "my_suite.py"


def test_new_says_how_to_go_on_in_lines_that_fit(genbench):
    ran = genbench("new", "dataset", "my-line")
    assert ran.code == 0
    assert ran.out.startswith("Wrote my_line.py and test_my_line.py.")
    assert "  genbench check my-line --plugin my_line.py" in ran.out.splitlines()
    assert max(map(cell_len, ran.out.splitlines())) <= 80


def test_new_overwrites_nothing(suite, genbench, tmp_path):
    ran = genbench("new", "suite", "my-suite")
    assert ran.code == 2
    assert ran.err == "genbench: my_suite.py is there already. Give another name, or another folder: --out DIR\n"


@pytest.mark.parametrize("kind", ["dataset", "metric", "suite", "protocol"])
def test_what_new_writes_passes(kind, genbench):
    genbench("new", kind, "my-own")
    ran = genbench("check", "my-own", "--plugin", "my_own.py")
    assert ran.code == 0, ran.out
    assert f"{kind} my-own, version 1, from " in ran.out
    assert "none failed." in ran.out
    assert max(map(cell_len, ran.out.splitlines())) <= 80


def test_what_breaks_a_promise_is_said_in_plain_words(suite, genbench, tmp_path):
    path = tmp_path / suite
    path.write_text(path.read_text().replace("(0, 1, 2, 3, 4, 5)", "(0,)"))
    ran = genbench("check", "my-suite", "--plugin", suite)
    assert ran.code == 1
    assert "failed seeds are enough: With 1 seeds no table can tell" in ran.out
    assert ", 1 failed." in ran.out


def test_findings_as_json(suite, genbench):
    ran = genbench("check", "my-suite", "--plugin", suite, "--json")
    found = json.loads(ran.out)
    assert ran.code == 0
    assert {finding["outcome"] for finding in found} == {"passed", "not applicable"}
    assert all(finding["check"] and finding["told"].endswith(".") for finding in found)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["ring9"], "is named 'ring9'. Did you mean ring"),
        (["ring8", "--kind", "metric"], "No metric is named 'ring8'."),
        (["ring[modes=1]"], "dataset ring: parameter modes can't be 1"),
        (["ring8", "--kind", "mode"], "No kind is named 'mode'."),
        (["mixture"], "dataset mixture: parameter path is missing"),
        (["gan", "--dataset", "ring9"], "No dataset is named 'ring9'."),
        (["ring8", "--plugin", "nowhere.py"], "nowhere.py is not a file"),
    ],
)
def test_what_cannot_be_checked_is_one_line(arguments, message, genbench):
    ran = genbench("check", *arguments)
    assert ran.code == 2
    assert message in ran.err
    assert len(ran.err.splitlines()) == 1


def test_plugin_whose_thing_cannot_be_built_is_a_finding(genbench, tmp_path):
    (tmp_path / "mine.py").write_text(
        "from genbench import api\n\n\n@api.dataset('mine')\ndef mine():\n    '''A dataset of my own.'''\n"
        "    raise ValueError('no such luck')\n"
    )
    ran = genbench("check", "mine", "--plugin", "mine.py")
    assert ran.code == 1
    assert "failed can be built: ValueError: no such luck (mine.py:7)." in ran.out


def test_time_is_a_table_that_fits(genbench, monkeypatch):
    from genbench.contract import timing

    monkeypatch.setattr(timing, "ROUNDS", 2)
    monkeypatch.setattr(timing, "ROUND_SECONDS", 0.005)
    ran = genbench("time", "gan[batch=16,width=8]", "--engine", "plain")
    assert ran.code == 0
    head, *rows = ran.out.splitlines()[:5]
    assert head.split() == ["trainer", "engine", "updates/s", "×", "gan", "×", "wgan", "×", "wgan-gp"]
    assert [row.split()[:2] for row in rows] == [
        [name, "plain"] for name in ("gan[batch=16,width=8]", "gan", "wgan", "wgan-gp")
    ]
    assert rows[1].split()[3] == "1.00"
    assert max(map(cell_len, ran.out.splitlines())) <= 80


def test_time_as_json(genbench, monkeypatch):
    from genbench.contract import timing

    monkeypatch.setattr(timing, "ROUNDS", 2)
    monkeypatch.setattr(timing, "ROUND_SECONDS", 0.005)
    rows = json.loads(genbench("time", "wgan", "--engine", "plain", "--json").out)
    assert [row["trainer"] for row in rows] == ["wgan", "gan", "wgan-gp"]
    assert rows[0]["ratios"]["wgan"] == 1


@pytest.mark.parametrize("arguments", [["gam"], ["gan[lr=0]"], ["gan", "--dataset", "ring9"]])
def test_what_cannot_be_timed_is_one_line(arguments, genbench):
    ran = genbench("time", *arguments)
    assert ran.code == 2
    assert len(ran.err.splitlines()) == 1
