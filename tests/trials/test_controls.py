"""Controls as a run measures them: dealt anew where a dataset is finite, and the oracle as curves are scored."""

from pathlib import Path

import made_up
import pytest
from tasks import ignore, never

from genbench import api, seeding
from genbench.contract.digits import digits
from genbench.executors.task import Context
from genbench.records.store import Store
from genbench.registry import controls, datasets
from genbench.scoring.protocols import protocol
from genbench.scoring.scorer import Scorer
from genbench.spec import Component
from genbench.trials.controls import ControlTask, Interrupted, along_draws, scored_draws


def component(label):
    return Component.resolve(datasets, label)


def measured(root, label, *protocols):
    """What a task stores."""
    context = Context(str(root), "made-up", protocols, "cpu", "genbench run")
    assert ControlTask(context, component(label), 2, "key").run(ignore, never).error is None
    return Store(Path(root)).read_controls("made-up", component(label))


def test_the_oracles_draws_are_scored_as_curves_are_under_the_first_protocol(tmp_path):
    found = measured(tmp_path, "ring8", "smoke", "pacgan2018")
    way = protocol("smoke").along()
    truth = datasets.build("ring8")
    assert found.along.keys() == {"oracle"}
    for seed, scores in enumerate(found.along["oracle"]):
        rng = seeding.stream(seed, f"{seeding.CONTROL_DATA}/oracle")
        assert scores == Scorer(truth, way)(truth.sample(way.n, rng))
    assert len(found.along["oracle"]) == 2


def test_where_no_curve_is_scored_there_is_nothing_along_training(tmp_path):
    with made_up.forgetful_registries():
        api.protocol("bare")(lambda: api.Protocol(n=50, columns={"hq": "hq"}, headline=("hq",), deciding=("hq",)))
        assert measured(tmp_path, "ring8", "bare").along == {}


def test_measuring_null_bands_says_how_far_it_is_and_stops_when_asked(tmp_path):
    """Those of a target that nothing ships for take minutes."""
    context = Context(str(tmp_path), "made-up", ("smoke",), "cpu", "genbench run")
    said = []
    outcome = ControlTask(context, component("ring[modes=3]"), 2, "key").run(said.append, lambda: len(said) >= 3)
    assert (outcome.records, outcome.error) == ((), None)
    assert [progress.share for progress in said] == [0, 1 / 400, 2 / 400]
    assert all("null bands" in progress.note for progress in said)
    assert Store(tmp_path).read_controls("made-up", component("ring[modes=3]")) is None


def test_measuring_stops_between_the_draws_of_a_control(tmp_path):
    asked = []
    with pytest.raises(Interrupted):
        scored_draws(
            controls["oracle"], component("ring8"), {protocol("smoke"): {}}, 5,
            stop=lambda: asked.append(None) or len(asked) == 3,
        )  # fmt: skip
    context = Context(str(tmp_path), "made-up", ("smoke",), "cpu", "genbench run")
    said = []
    ControlTask(context, component("ring8"), 2, "key").run(said.append, lambda: any(of.note == "noise" for of in said))
    assert said[-1].note == "noise"
    assert Store(tmp_path).read_controls("made-up", component("ring8")) is None


def test_controls_say_under_which_settings_of_torch_they_were_scored(tmp_path):
    said = measured(tmp_path, "ring8", "pacgan2018").provenance
    assert (said["threads"], said["flags"]["cudnn_conv_precision"], said["flags"]["cudnn_deterministic"]) == (
        1,
        "ieee",
        True,
    )


@pytest.mark.usefixtures("printed")
def test_along_training_the_oracle_scores_fewer_images_of_another_deal_each_time():
    (one, other) = along_draws(component("printed"), protocol("mnist-smoke"), 2)["oracle"]
    assert [score.name for score in one] == list(protocol("mnist-smoke").curve)
    assert one != other


@pytest.mark.usefixtures("printed")
@pytest.mark.parametrize("name", ["oracle", "half-dropped", "one-class", "blurred"])
def test_what_is_made_of_held_out_images_is_dealt_anew_for_each_draw(name):
    """And judged against the training set that is left: no copy of a training image is among the draws."""
    (_, *draws) = scored_draws(controls[name], component("printed"), {protocol("mnist-smoke"): {}}, 3)
    assert draws[0] != draws[1]
    for scores in draws:
        distance = next(score.value for score in scores if score.name == "train_distance")
        assert distance > 1


@pytest.mark.usefixtures("printed")
def test_draws_of_an_oracle_differ_though_all_that_is_held_out_is_drawn():
    """Eight hundred of eight hundred would be one sample, scored again and again."""
    oracle = controls["oracle"]
    rngs = [seeding.stream(seed, "test") for seed in range(2)]
    dealt = [oracle.build(digits().dealt(rng), 800, rng) for rng in rngs]
    assert {row.numpy().tobytes() for row in dealt[0]} != {row.numpy().tobytes() for row in dealt[1]}


@pytest.mark.usefixtures("printed")
def test_copies_are_looked_for_in_the_training_set_as_it_is(tmp_path):
    (scores,) = scored_draws(controls["train"], component("printed"), {protocol("mnist-smoke"): {}}, 1)
    assert next(score.value for score in scores if score.name == "train_distance") == 0
