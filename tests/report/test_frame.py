"""The long frame: a line a score, whoever made the samples, and a line that says why where there is none."""

import made_up
import pytest

from genbench.records.store import Store
from genbench.report.frame import Thing, frame
from genbench.spec import Budget, Component


@pytest.fixture
def lines(tmp_path):
    """The frame's lines of a kind."""
    return lambda kind="trainer": [line for line in frame(Store(tmp_path), "made-up").lines if line.kind == kind]


def test_every_score_has_a_line_that_says_all_that_it_is_a_score_of(tmp_path, lines):
    scores = made_up.scores({"hq": 0.5, "reverse_kl": None}) + made_up.scores({"hq": 0.75}, ema=0.999)
    trial = made_up.trial("gan", seed=3, budget="updates=80")
    made_up.put(tmp_path, trial, scores)
    told = lines()
    assert [(line.metric, line.identity, line.value, line.state, line.ema) for line in told] == [
        (score.name, score.identity, score.value, score.state, score.identity.ema) for score in scores
    ]
    assert {(line.suite, line.budget, line.seed, line.protocol) for line in told} == {
        ("made-up", Budget.parse("updates=80"), 3, "genbench1")
    }
    assert [(line.unit, line.higher_is_better) for line in told] == [(s.unit, s.higher_is_better) for s in scores]
    (dataset,), (trainer,) = {line.dataset for line in told}, {line.trainer for line in told}
    assert (dataset, trainer.label) == (Thing.of(trial.dataset), "gan")
    assert trainer.component.parameters == trial.trainer.parameters
    assert all(line.trial.record.trial == trial for line in told)


def test_a_trial_without_scores_has_one_line_that_says_why(tmp_path, lines):
    made_up.put(tmp_path, made_up.trial(seed=0), status="diverged", reason="nan")
    (made_up.put(tmp_path, made_up.trial(seed=1), made_up.scores({"hq": 0.5})) / "scores.json").unlink()
    made_up.put(tmp_path, made_up.trial(seed=2), [])
    assert sorted((line.seed, line.state, line.reason, line.metric) for line in lines()) == [
        (0, "failed", "diverged: nan", None), (1, "unscored", None, None), (2, "ok", None, None),
    ]  # fmt: skip


def test_controls_bands_and_samples_from_elsewhere_are_lines_without_a_budget(tmp_path, lines):
    made_up.put(tmp_path, made_up.trial(dataset="ring7"), made_up.scores({"hq": 0.5}))
    drawn = {"oracle": [made_up.scores({"hq": 0.9}), made_up.scores({"hq": 0.8})]}
    made_up.put_controls(tmp_path, made_up.component("ring7"), drawn, [made_up.score("hq", None, (0.7, 0.95))])
    for dataset in ("ring7", "grid25"):
        Store(tmp_path).write_external(made_up.external("mine", made_up.scores({"hq": 0.6}), dataset))
    assert [(line.trainer.label, line.seed, line.value) for line in lines("control")] == [
        ("oracle", 0, 0.9), ("oracle", 1, 0.8),
    ]  # fmt: skip
    assert [(line.metric, line.value, line.band) for line in lines("null band")] == [("hq", None, (0.7, 0.95))]
    assert [(line.trainer.label, line.dataset.label, line.value) for line in lines("external")] == [
        ("mine", "ring7", 0.6)
    ]
    assert {line.budget for kind in ("control", "null band", "external") for line in lines(kind)} == {None}


def test_controls_that_do_not_say_of_what_they_are_belong_to_the_only_dataset_of_their_label(tmp_path, lines):
    made_up.put(tmp_path, made_up.trial(), made_up.scores({"hq": 0.5}))
    made_up.put_controls(tmp_path, made_up.component("ring8"), {"oracle": [made_up.scores({"hq": 0.9})]})
    assert [line.dataset for line in lines("control")] == [line.dataset for line in lines()]
    other: Component = made_up.component("ring8", version=2)
    made_up.put(tmp_path, made_up.trial(dataset=other), made_up.scores({"hq": 0.5}))
    assert lines("control") == []
