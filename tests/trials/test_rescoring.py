"""Stored samples scored again: the same numbers, whatever else stands beside them, and nothing lost."""

import made_up
import pytest
import torch

from genbench import seeding
from genbench.errors import GenbenchError
from genbench.records import layout
from genbench.records.atomic import write_model
from genbench.records.store import Store
from genbench.registry import datasets
from genbench.scoring.protocols import protocol
from genbench.scoring.scorer import Scorer
from genbench.spec import Component
from genbench.trials.rescoring import Rescorer

N = 2_500


@pytest.fixture
def drawn():
    return datasets.build("ring8").sample(N, seeding.stream(3, "test")) * 1.01


@pytest.fixture
def put(tmp_path, drawn):
    """`put(final=…, scores=…)`: a stored trial of gan on ring8 with these samples."""

    def trial(scores=None, dataset=None, ema=None, **samples):
        of = made_up.trial(dataset=dataset or Component.resolve(datasets, "ring8"), ema=ema)
        folder = made_up.put(tmp_path, of, scores, samples=samples or {"final": drawn})
        return Store(tmp_path).trial(folder)

    return trial


def by_name(found, way, ema=None):
    scores = Store(found.folder).trial(found.folder).scores.scores
    return {s.name: s for s in scores if (s.identity.protocol, s.identity.ema) == (way, ema)}


def expected(samples, way="smoke"):
    scores = Scorer(datasets.build("ring8"), protocol(way))(samples)
    return {score.name: score.value for score in scores}


def values(scores):
    return {name: score.value for name, score in scores.items()}


def test_scores_are_the_scorers(put, drawn):
    found = put()
    rescored = Rescorer(protocol("smoke")).trial(found)
    assert values(by_name(found, "smoke")) == expected(drawn)
    assert {score.name: score for score in rescored.scores} == by_name(found, "smoke")
    assert by_name(found, "smoke")["hq"].null_low < by_name(found, "smoke")["hq"].null_high


def test_other_protocols_are_left_alone(put, drawn):
    others = made_up.scores({"hq": 0.125, "modes": None}, protocol="elsewhere")
    found = put((*others, *made_up.scores({"hq": 0.5, "gone": 1.0}, protocol="smoke", n=1_000)))
    Rescorer(protocol("smoke")).trial(found)
    assert tuple(by_name(found, "elsewhere").values()) == others
    assert values(by_name(found, "smoke")) == expected(drawn)


def test_twice_is_once(put):
    found = put(made_up.scores({"hq": 0.125}, protocol="elsewhere"))
    contents = []
    for _ in range(2):
        Rescorer(protocol("smoke")).trial(Store(found.folder).trial(found.folder))
        contents.append((found.folder / layout.SCORES).read_bytes())
    assert contents[0] == contents[1]


def test_averaged_weights_have_scores_of_their_own(put, drawn):
    found = put(ema=0.999, **{"final": drawn, "ema.final": drawn * 2})
    Rescorer(protocol("smoke")).trial(found)
    assert values(by_name(found, "smoke")) == expected(drawn)
    assert values(by_name(found, "smoke", 0.999)) == expected(drawn * 2)


def test_metrics_that_want_more_samples_are_skipped_with_the_reason(put, drawn):
    found = put(final=drawn[:600])
    Rescorer(protocol("smoke")).trial(found)
    scores = by_name(found, "smoke")
    assert scores["modes"].reason == "needs 1000 samples and got 600"
    assert scores["w2"].value == expected(drawn)["w2"]


def test_score_of_more_samples_than_are_stored_stays(put, drawn):
    scorer = Scorer(datasets.build("ring8"), protocol("smoke"))
    found = put(scorer(drawn), final=drawn[:600])
    rescored = Rescorer(protocol("smoke")).trial(found)
    assert values(by_name(found, "smoke")) == expected(drawn)
    assert {score.name for score in rescored.stayed} >= {"modes", "hq"}
    assert "w2" not in {score.name for score in rescored.stayed}


def test_reason_of_more_samples_than_are_stored_stays(put, drawn):
    far = torch.full_like(drawn, 100)
    before = Scorer(datasets.build("ring8"), protocol("smoke"))(far)
    found = put(before, final=far[:600])
    assert "std_ratio" in {score.name for score in Rescorer(protocol("smoke")).trial(found).stayed}
    (reason,) = [score.reason for score in before if score.name == "std_ratio"]
    assert reason
    assert by_name(found, "smoke")["std_ratio"].reason == reason


@pytest.mark.parametrize("change", [{"version": 0}, {"protocol_source": {"sha256": "0" * 64}}, {"n": 1_001}], ids=str)
def test_outdated_score_of_more_samples_than_are_stored_stays(change, put, drawn):
    """Nothing could make it again."""
    scores = Scorer(datasets.build("ring8"), protocol("smoke"))(drawn)
    old = [s.model_copy(update={"identity": s.identity.model_copy(update=change)}) for s in scores]
    found = put(old, final=drawn[:600])
    rescored = Rescorer(protocol("smoke")).trial(found)
    assert {score.name for score in rescored.outdated} >= {"modes", "hq"}
    after = by_name(found, "smoke")
    assert {score.name: score for score in rescored.outdated}.items() <= after.items()
    assert all(after[score.name] in old for score in rescored.outdated)
    assert after["w2"].identity == {score.name: score for score in scores}["w2"].identity


def test_values_of_columns_that_are_gone_stay_where_too_few_samples_are_stored(put, drawn):
    old = made_up.scores({"far": 0.5, "near": 0.25}, protocol="smoke", n=1_000)
    old = [*old[:1], old[1].model_copy(update={"identity": old[1].identity.model_copy(update={"n": 600})})]
    found = put(old, final=drawn[:600])
    rescored = Rescorer(protocol("smoke")).trial(found)
    assert [score.name for score in rescored.outdated] == ["far"]
    assert by_name(found, "smoke")["far"] == old[0]
    assert "near" not in by_name(found, "smoke")


def test_outdated_score_does_not_stay_where_there_are_enough_samples(put, drawn):
    scores = Scorer(datasets.build("ring8"), protocol("smoke"))(drawn)
    old = [s.model_copy(update={"identity": s.identity.model_copy(update={"version": 0})}) for s in scores]
    found = put(old)
    assert Rescorer(protocol("smoke")).trial(found)[1:] == ((), ())
    assert [score.identity for score in by_name(found, "smoke").values()] == [score.identity for score in scores]


def remove(found):
    (found.folder / layout.SAMPLES).unlink()


def cut(found):
    path = found.folder / layout.SAMPLES
    path.write_bytes(path.read_bytes()[:-8])


def change(found):
    path = found.folder / layout.SAMPLES
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)


@pytest.mark.parametrize(
    ("spoil", "message"), [(remove, "No such file"), (cut, "can't be read"), (change, "changed or damaged")]
)
def test_samples_that_are_not_what_the_record_names_are_refused(spoil, message, put):
    found = put(made_up.scores({"hq": 0.5}, protocol="smoke"))
    before = (found.folder / layout.SCORES).read_bytes()
    spoil(found)
    with pytest.raises(GenbenchError, match=message):
        Rescorer(protocol("smoke")).trial(found)
    assert (found.folder / layout.SCORES).read_bytes() == before


@pytest.mark.parametrize(
    ("samples", "message"),
    [({"strip": torch.zeros(3, 2)}, "no final samples"), ({"final": torch.zeros(3, 1, 8, 8)}, r"shape \(2,\)")],
)
def test_samples_of_another_shape_are_refused(samples, message, put):
    with pytest.raises(GenbenchError, match=message):
        Rescorer(protocol("smoke")).trial(put(**samples))


def test_dataset_of_another_version_is_refused(put):
    with pytest.raises(GenbenchError, match="trained on version 99"):
        Rescorer(protocol("smoke")).trial(put(dataset=made_up.component("ring8", version=99)))


def test_dataset_that_nobody_registers_is_refused(put):
    with pytest.raises(GenbenchError, match="No dataset is named 'ring9'"):
        Rescorer(protocol("smoke")).trial(put(dataset=made_up.component("ring9")))


def test_scores_that_cannot_be_read_are_not_written_over(put):
    found = put()
    (found.folder / layout.SCORES).write_text("{")
    with pytest.raises(GenbenchError, match="Remove it"):
        Rescorer(protocol("smoke")).trial(Store(found.folder).trial(found.folder))
    assert (found.folder / layout.SCORES).read_text() == "{"


def test_controls_get_the_protocols_scores_once(put, tmp_path):
    dataset = put().record.trial.dataset
    draws = {"oracle": [made_up.scores({"hq": 0.5 + i}) for i in range(3)], "own": [made_up.scores({"hq": 0.1})] * 3}
    made_up.put_controls(tmp_path, dataset, draws, [made_up.score("hq", None, (0.4, 0.6))])
    results, rescorer = Store(tmp_path), Rescorer(protocol("smoke"))
    assert rescorer.controls(results, "made-up", dataset)
    found = results.read_controls("made-up", dataset)
    assert [draw[-1].value for draw in found.draws["oracle"]] == [0.5, 1.5, 2.5]
    fresh = [{s.name: s.value for s in draw if s.identity.protocol == "smoke"} for draw in found.draws["oracle"]]
    truth = datasets.build("ring8")
    rngs = [seeding.stream(seed, f"{seeding.CONTROL_DATA}/oracle") for seed in range(3)]
    assert fresh == [expected(truth.sample(1_000, rng)) for rng in rngs]
    assert len(found.draws["noise"]) == 3
    assert found.draws["own"] == tuple(map(tuple, draws["own"]))
    assert {band.identity.protocol for band in found.bands} == {"genbench1", "smoke"}
    assert found.key == "made up"
    assert not rescorer.controls(results, "made-up", dataset)


def widened(score):
    return score if score.null_low is None else score.model_copy(update={"null_low": score.null_low - 1})


def test_bands_that_were_measured_anew_are_renewed_though_samples_are_gone(put, tmp_path):
    """In scores that stay, and in controls, whose draws stay as they are."""
    found, rescorer, results = put(), Rescorer(protocol("smoke")), Store(tmp_path)
    rescorer.trial(found)
    scores = Store(found.folder).trial(found.folder).scores
    dataset = found.record.trial.dataset
    made_up.put_controls(tmp_path, dataset, {"oracle": [made_up.scores({"hq": 0.5})]})
    assert rescorer.controls(results, "made-up", dataset)
    controls = results.read_controls("made-up", dataset)

    old = scores.model_copy(update={"scores": tuple(map(widened, scores.scores))})
    write_model(found.folder / layout.SCORES, old)
    draws = {name: tuple(tuple(map(widened, draw)) for draw in of) for name, of in controls.draws.items()}
    both = {"draws": draws, "bands": tuple(map(widened, controls.bands))}
    results.write_controls("made-up", dataset, controls.model_copy(update=both))
    (found.folder / layout.SAMPLES).unlink()
    with pytest.raises(GenbenchError, match="can't be read"):
        rescorer.trial(Store(found.folder).trial(found.folder))
    assert Store(found.folder).trial(found.folder).scores == scores != old
    assert rescorer.controls(results, "made-up", dataset)
    assert results.read_controls("made-up", dataset) == controls
    assert not rescorer.controls(results, "made-up", dataset)


def test_controls_that_are_not_stored_are_not_made_up(put, tmp_path):
    dataset = put().record.trial.dataset
    assert not Rescorer(protocol("smoke")).controls(Store(tmp_path), "made-up", dataset)
    assert list(Store(tmp_path).controls("made-up")) == []
