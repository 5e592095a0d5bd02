"""`--metric`: a column beside a protocol's own, in runs, rescores and scores, and wherever tables are shown."""

import json
import shutil
from pathlib import Path

import pandas as pd
import pytest

from genbench.records.store import Store
from genbench.scoring.columns import OF_TRIALS
from genbench.scoring.protocols import protocol

SUITE = "toy2d-smoke"
CRESCENT = Path(__file__).parent.parent / "plugin" / "genbench_crescent.py"
GAP = "mean_gap[n=500]"
FAILING = '''
from genbench import api

@api.metric("{name}", unit="", higher_is_better=None)
def made_up(truth, *, k: api.Count = 1):
    """A metric that isn't one."""
    {body}
'''
BREAKING = """from torchmetrics import MeanMetric
    class Breaking(MeanMetric):
        def compute(self):
            raise ValueError("oops")
    return Breaking()"""

CHANGING = """return api.observed_metric(lambda observed: observed.samples.sub_(3).mean())"""


@pytest.fixture
def plugin(tmp_path):
    """A copy of a plugin that has a metric, to be edited."""
    return shutil.copy(CRESCENT, tmp_path / "crescent.py")


@pytest.fixture
def forget():
    """Makes this process load plugins as a new one would."""
    from genbench import plugins, registry

    def everything():
        plugins._loaded.difference_update({name for name in plugins._loaded if name.endswith(".py")})
        for held, name in (
            (registry.metrics, "mean_gap"),
            (registry.datasets, "crescent"),
            (registry.trainers, "moments"),
        ):
            held._entries.pop(name, None)

    return everything


@pytest.fixture
def failing(tmp_path):
    """`failing("modes_any", "return None")`: a plugin with a metric of that name and body."""

    def write(name, body):
        path = tmp_path / "failing.py"
        path.write_text(FAILING.format(name=name, body=body))
        return path

    return write


def scores(root):
    """Every trial's scores in order, by column."""
    return {
        found.record.trial.seed: {score.name: score for score in found.scores.scores}
        for found in Store(root).trials(SUITE)
    }


def tables(genbench, root, *options):
    (table,) = json.loads(genbench("report", root, "--format", "json", "--no-figures", *options).out)
    return {row["label"]: row["cells"] for row in table["rows"]}


class TestRun:
    @pytest.fixture
    def run(self, smoke, plugin, forget):
        def command(*options):
            forget()
            return smoke("--trainer", "gan", "--plugin", plugin, *options)

        return command

    def test_adds_a_column_with_its_own_n_band_and_controls_everywhere(self, run, genbench, tmp_path, forget):
        root = tmp_path / "out"
        assert run("--metric", GAP, "--metric", f"hq,{GAP}").code == 0
        (found,) = scores(root).values()
        assert [name for name in found if name not in OF_TRIALS] == [*protocol("smoke").columns, GAP]
        added = found[GAP]
        assert (added.identity.metric, added.identity.n, added.identity.protocol) == ("mean_gap", 500, "smoke")
        assert added.identity.source["sha256"]
        assert added.null_low < added.null_high
        assert Store(root).plan(SUITE).metrics == (GAP, "hq")
        forget()  # what is stored is shown without the plugin, too
        rows = tables(genbench, root)
        assert {label for label, cells in rows.items() if GAP in cells} >= {"gan", "oracle", "noise", "null band"}
        assert f"| {GAP}↓ |" in genbench("report", root, "--format", "md", "--no-figures").out
        genbench("report", root, "--no-figures", "--format", "parquet", "--file", tmp_path / "long.parquet")
        assert GAP in set(pd.read_parquet(tmp_path / "long.parquet")["metric"])
        genbench("report", root, "--out", tmp_path / "page", "--no-figures")
        assert GAP in (tmp_path / "page" / "index.html").read_text()
        compared = json.loads(genbench("compare", root, root, "--json").out)
        assert GAP in json.dumps(compared)

    def test_leaves_all_other_columns_as_they_are_without_it(self, run, tmp_path):
        run()
        before = scores(tmp_path / "out")[0]
        shutil.rmtree(tmp_path / "out" / SUITE / "ring8" / "gan")
        run("--metric", GAP)
        after = scores(tmp_path / "out")[0]
        assert after.keys() - before.keys() == {GAP}
        assert {name: after[name] for name in before} == before

    def test_of_finished_trials_says_what_adds_the_column(self, run, genbench, tmp_path, plugin):
        run()
        before = scores(tmp_path / "out")[0]
        ran = run("--metric", GAP)
        assert "0 trials to run, 1 done already" in ran.out
        command = f"genbench rescore {tmp_path / 'out'} --suite toy2d-smoke --metric '{GAP}' --plugin {plugin}"
        assert f"1 of those done aren't scored by {GAP} as it is now; to add that: {command}" in ran.out
        assert genbench(*command.replace("'", "").split()[1:]).code == 0
        after = scores(tmp_path / "out")[0]
        assert [*after] == [*before, GAP]
        assert {name: after[name] for name in before} == before
        assert after[GAP].null_low < after[GAP].null_high
        ran = run("--metric", GAP)
        assert "aren't scored" not in ran.out
        assert "Nothing is left to run." in ran.out

    def test_of_an_edited_plugin_is_told_and_shares_no_column(self, run, genbench, tmp_path, plugin):
        run("--metric", GAP)
        Path(plugin).write_text(Path(plugin).read_text() + "\n# Another thought.\n")
        ran = run("--metric", GAP, "--seeds", "0-1")
        assert f"1 of those done aren't scored by {GAP} as it is now" in ran.out
        one, other = (of[GAP].identity.source for of in scores(tmp_path / "out").values())
        assert one != other
        report = genbench("report", tmp_path / "out", "--no-figures", "--format", "json").out
        (table,) = json.loads(report)
        assert any(note.startswith(f"Finished and without {GAP}, which genbench rescore") for note in table["notes"])
        assert len(tables(genbench, tmp_path / "out")["gan"][GAP]["values"]) == 1
        assert genbench("rescore", tmp_path / "out", "--metric", GAP, "--plugin", plugin).code == 0
        assert len(tables(genbench, tmp_path / "out")["gan"][GAP]["values"]) == 2

    def test_without_it_afterwards_keeps_the_column_and_its_controls(self, run, genbench, tmp_path):
        root = tmp_path / "out"
        run("--metric", GAP)
        run("--seeds", "0-1")
        assert [GAP in of for of in scores(root).values()] == [True, False]
        rows = tables(genbench, root)
        assert GAP in rows["oracle"]
        assert len(rows["gan"][GAP]["values"]) == 1

    @pytest.mark.parametrize(
        ("metric", "message"),
        [
            ("mean_gop", "No metric is named 'mean_gop'. Did you mean mean_gap"),
            ("mean_gap[m=3]", "No parameter of metric mean_gap is named 'm'."),
            ("mean_gap[n=1001]", "mean_gap[n=1001] looks at 1001 samples and there are 1000"),
            ("curve_distance[", "is not a reference"),
            (
                "fd[extractor=mnist-cnn,n=100]",
                "The metric fd[extractor=mnist-cnn,n=100] applies to no dataset of the run.",
            ),
        ],
    )
    def test_is_refused_before_anything_is_trained(self, metric, message, run, tmp_path):
        ran = run("--metric", metric)
        assert ran.code == 2
        assert message in ran.err
        assert len(ran.err.splitlines()) == 1
        assert not list(tmp_path.glob("out/**/record.json"))

    @pytest.mark.parametrize(
        ("name", "body", "message"),
        [
            ("modes_any", "pass", "would be called as the column modes_any of smoke, which is modes[rule=any]"),
            ("mine", "raise ValueError('oops')", "mine can't score ring8: ValueError: oops (failing.py:7)"),
            ("mine", "return None", "The metric mine gave None. Let it return a torchmetrics.Metric."),
            ("mine", "return 3", "The metric mine can't score ring8: "),
            ("mine", BREAKING, "The metric mine can't score ring8: ValueError: oops (failing.py:10)"),
        ],
    )
    def test_of_a_metric_that_cannot_be_is_refused_before_anything_is_trained(
        self, name, body, message, failing, smoke, tmp_path
    ):
        path = failing(name, body)
        text = path.read_text()
        if name == "modes_any":
            path.write_text(text.replace(", *, k: api.Count = 1", ""))
        ran = smoke("--trainer", "gan", "--plugin", path, "--metric", name)
        assert ran.code == 2
        assert message in ran.err
        assert len(ran.err.splitlines()) == 1
        assert not list(tmp_path.glob("out/**/record.json"))

    def test_called_as_another_column_is_spelled_out(self):
        papers = protocol("pacgan2018")
        added = papers.adding(["modes", "modes[rule=any]", "hq[k=3]", "hq[k=2]"])
        names = added.columns.keys() - papers.columns.keys()
        assert names == {"modes[k=3,rule=fair,share=0.2]", "hq[k=2]"}
        assert added.headline == (*papers.headline, "modes[k=3,rule=fair,share=0.2]", "hq[k=2]")
        assert added.deciding == papers.deciding


class TestRescore:
    @pytest.mark.parametrize(
        ("body", "message"),
        [
            ("raise ValueError('oops')", "mine can't score ring8: ValueError: oops (failing.py:7)"),
            (BREAKING, "The metric mine can't score ring8: ValueError: oops (failing.py:10)"),
            (CHANGING, "The metric mine changes the samples that it is given"),
        ],
    )
    def test_by_a_metric_that_cannot_be_is_refused_in_a_line(self, body, message, failing, results, genbench):
        ran = genbench("rescore", results, "--plugin", failing("mine", body), "--metric", "mine")
        assert ran.code == 2
        assert message in ran.err
        assert len(ran.err.splitlines()) == 1

    def test_by_nothing_is_refused(self, results, genbench):
        ran = genbench("rescore", results)
        assert (ran.code, ran.err) == (
            2,
            "genbench: By what? Give a way of scoring, say --protocol genbench1, or a metric: --metric NAME\n",
        )

    def test_by_what_the_protocol_has_is_refused(self, results, genbench):
        ran = genbench("rescore", results, "--metric", "hq")
        assert ran.code == 2
        assert f"smoke of {SUITE} has hq already. To score it again: --protocol smoke" in ran.err

    def test_of_the_protocol_keeps_the_column(self, results, genbench):
        assert genbench("rescore", results, "--metric", GAP, "--plugin", CRESCENT).code == 0
        before = {path: path.read_bytes() for path in results.rglob("*.json")}
        assert genbench("rescore", results, "--protocol", "smoke").code == 0
        assert {path: path.read_bytes() for path in results.rglob("*.json")} == before

    def test_by_one_that_does_not_apply_says_so(self, results, genbench):
        ran = genbench("rescore", results, "--metric", "arc_coverage[k=2]")
        assert ran.code == 0
        assert "Skipped in 4 trials, since the dataset doesn't lie along a curve: arc_coverage[k=2]" in ran.out


def test_score_has_the_column_with_its_band(mine, score, genbench):
    plain = score(mine, "--dataset", "ring8", "--protocol", "smoke")["scores"]
    found = score(mine, "--dataset", "ring8", "--protocol", "smoke", "--metric", GAP, "--plugin", CRESCENT)["scores"]
    assert found.keys() - plain.keys() == {GAP}
    assert {name: found[name] for name in plain} == plain
    assert found[GAP]["null_low"] < found[GAP]["value"]
