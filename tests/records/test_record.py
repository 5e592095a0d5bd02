"""Records of every past version are still read; what can't be read says why."""

import json
from pathlib import Path
from typing import Any

import made_up
import pytest

from genbench.records import record
from genbench.records.record import BadRecord, ControlScores, External, Record, Scores, parse
from genbench.spec import Budget, Frozen

EXAMPLES = Path(__file__).parent
MODELS: dict[str, type[Frozen]] = {"record": Record, "scores": Scores, "controls": ControlScores, "external": External}


def example(name: str, version: int = 1) -> Any:
    return json.loads((EXAMPLES / f"{name}-v{version}.json").read_bytes())


@pytest.mark.parametrize("version", range(1, record.SCHEMA_VERSION + 1))
@pytest.mark.parametrize("name", MODELS)
def test_every_past_version_is_read(name: str, version: int) -> None:
    found = parse(MODELS[name], example(name, version))
    assert isinstance(found, MODELS[name])


def test_content_of_a_version_1_record() -> None:
    found: Record = parse(Record, example("record"))
    assert (found.id, found.suite, found.status, found.reason) == ("54ee417549d4", "toy2d", "done", None)
    assert (found.trial.trainer.name, found.trial.dataset.name, found.trial.seed) == ("wgan-gp", "ring8", 0)
    assert found.trial.trainer.parameters["penalty"] == 0.1
    assert str(found.trial.budget) == "steps=3000"
    assert (found.cost.steps, found.cost.updates, found.cost.peak_memory_bytes) == (3000, 18_000, 734_003_200)
    assert found.weights_sha256 == "ab" * 32
    assert found.files["curve.parquet"] == "cd" * 32
    assert found.provenance["packages"]["torch"] == "2.9.0"


@pytest.mark.parametrize(("version", "seconds"), [(1, None), (2, 1.75)])
def test_record_says_how_long_its_trial_compiled_or_that_nobody_knows(version: int, seconds: float | None) -> None:
    found: Record = parse(Record, example("record", version))
    assert (found.cost.compile_seconds, found.cost.train_seconds, found.cost.eval_seconds) == (seconds, 20.125, 1.5)
    assert found.schema_version == record.SCHEMA_VERSION


@pytest.mark.parametrize(
    ("budget", "engine", "own"),
    [
        ("seconds=2", {"stack": 5}, "seconds=0.4"),
        ("seconds=2", {"stack": 1}, "seconds=2"),
        ("seconds=2", {}, "seconds=2"),
        ("samples=2000", {"stack": 5}, "samples=2000"),
    ],
)
def test_seconds_of_a_stack_in_version_1_are_shared(budget: str, engine: dict[str, int], own: str) -> None:
    payload = example("record")
    payload["trial"]["budget"] = Budget.parse(budget).model_dump()
    payload["provenance"]["engine"] = engine
    found: Record = parse(Record, payload)
    assert str(found.trial.budget) == own


def test_record_of_version_3_says_what_stood_behind_a_plugins_trainer() -> None:
    found: Record = parse(Record, example("record", 3))
    assert (found.trial.trainer.source, found.trial.dataset.source) == ({"sha256": "23" * 32}, {})
    assert found.trial.id == found.id
    assert found.provenance["plugins"] == ["my_gan.py"]
    older: Record = parse(Record, example("record", 2))
    assert older.trial.trainer.source == {}


def test_content_of_version_1_scores() -> None:
    found: Scores = parse(Scores, example("scores"))
    modes, hq, arc = found.scores
    assert (modes.name, modes.value, modes.unit, modes.null_low) == ("modes", 8.0, "modes", 8.0)
    assert modes.identity.parameters == {"k": 3.0, "rule": "fair", "share": 0.2}
    assert (hq.value, hq.null_low, hq.null_high, hq.identity.n) == (0.9375, 0.9865, 0.991, 10_000)
    assert (arc.value, arc.state, arc.reason) == (None, "skipped", "the dataset doesn't lie along a curve")


def test_content_of_version_1_controls() -> None:
    found: ControlScores = parse(ControlScores, example("controls"))
    assert [draw[1].value for draw in found.draws["noise"]] == [0.005, 0.006]
    assert [(band.name, band.null_low, band.null_high) for band in found.bands][1] == ("hq", 0.9865, 0.991)


def test_content_of_a_version_1_external_entry() -> None:
    found: External = parse(External, example("external"))
    assert (found.name, found.dataset.name, found.budget, found.source) == ("my model", "ring8", "unknown", "mine.npy")
    assert (found.n, found.samples_sha256) == (12_000, "ef" * 32)
    assert [(score.name, score.value) for score in found.scores] == [("hq", 0.9375)]


def test_id_of_a_version_1_record_is_still_the_trials() -> None:
    found: Record = parse(Record, example("record"))
    assert found.trial.id == found.id


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"schema_version": 99}, r"newer genbench \(schema 99, this one reads \d+\): upgrade"),
        ({"schema_version": 0}, "schema version 0 is none"),
        ({"schema_version": "1"}, "schema version '1' is none"),
        ({"schema_version": None}, "schema version None is none"),
        ({"status": "excellent"}, "^status: .*'done', 'diverged'"),
        ({"cost": {"steps": 1}}, r"^cost\.updates: field required"),
        ({"mood": "good"}, "^mood: extra inputs"),
        ({"trial": None}, "^trial: "),
    ],
)
def test_bad_record_says_where_and_why(change: dict[str, Any], reason: str) -> None:
    with pytest.raises(BadRecord, match=reason):
        parse(Record, example("record") | change)


@pytest.mark.parametrize("payload", [None, 3, "record", [], {}, {"id": "x"}])
def test_foreign_json_is_no_record(payload: Any) -> None:
    with pytest.raises(BadRecord, match="not a genbench file"):
        parse(Record, payload)


def test_scores_are_no_record() -> None:
    with pytest.raises(BadRecord):
        parse(Record, example("scores"))


def test_migrations_run_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    def renamed(payload: dict[str, Any]) -> dict[str, Any]:
        return {("suite" if key == "plan" else key): value for key, value in payload.items()} | {"schema_version": 2}

    def shouted(payload: dict[str, Any]) -> dict[str, Any]:
        return payload | {"suite": payload["suite"].upper(), "schema_version": 3}

    monkeypatch.setattr(record, "SCHEMA_VERSION", 3)
    monkeypatch.setattr(record, "MIGRATIONS", {1: renamed, 2: shouted})
    old = {("plan" if key == "suite" else key): value for key, value in example("record").items()}
    assert parse(Record, old).suite == "TOY2D"


def test_every_past_version_has_a_migration() -> None:
    assert sorted(record.MIGRATIONS) == list(range(1, record.SCHEMA_VERSION))


def test_records_do_not_change() -> None:
    found = parse(Record, example("record"))
    with pytest.raises(ValueError, match="frozen"):
        found.status = "crashed"


def test_controls_survive_json(tmp_path: Path) -> None:
    drawn = {"oracle": [made_up.scores({"modes": 8.0, "hq": None})] * 2}
    made = made_up.put_controls(tmp_path, made_up.component("ring8"), drawn, [made_up.score("modes", None, (8, 8))])
    assert parse(ControlScores, json.loads(made.model_dump_json())) == made
