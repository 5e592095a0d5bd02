"""Results on disk: found again, and never silenced by one bad file."""

import errno
import json
import os
import shutil
import tempfile
from collections import namedtuple
from pathlib import Path

import made_up
import pytest
from hypothesis import given
from hypothesis import strategies as st

from genbench.errors import GenbenchError
from genbench.records import layout
from genbench.records.layout import slug
from genbench.records.record import ControlScores
from genbench.records.store import Store
from genbench.spec import Budget

LABELS = st.from_regex(r"[a-z0-9-]{1,8}(\[[a-z_]{1,8}=[^\[\]]{1,12}(,[a-z_]{1,8}=[^\[\]]{1,12})?\])?", fullmatch=True)


def test_trial_is_found_where_a_person_would_look(results):
    folder = made_up.put(results, made_up.trial("wgan-gp[penalty=1,lr=0.01]", seed=3), made_up.scores({"modes": 8.0}))
    assert folder.parent == results / "made-up/ring8/wgan-gp+penalty=1+lr=0.01"
    assert folder.name == f"seed-3-{made_up.trial('wgan-gp[penalty=1,lr=0.01]', seed=3).id}"
    (found,) = Store(results).trials("made-up")
    assert found.folder == folder
    assert found.record.trial.seed == 3
    assert [score.value for score in found.scores.scores] == [8.0]


def test_reading_does_not_depend_on_the_working_folder(results, monkeypatch):
    made_up.put(results, made_up.trial())
    monkeypatch.chdir(results.parent)
    assert len(list(Store(Path("results")).trials("made-up"))) == 1


def test_trial_without_scores_is_found_without_them(results):
    made_up.put(results, made_up.trial(), status="crashed", reason="it did")
    here = Store(results)
    (found,) = here.trials("made-up")
    assert (found.record.status, found.record.reason, found.scores) == ("crashed", "it did", None)
    assert not here.unreadable


BAD = {
    "a newer genbench": (lambda text: text.replace(b'"schema_version": ', b'"schema_version": 99'), "upgrade"),
    "cut off": (lambda text: text[: len(text) // 2], "not JSON"),
    "empty": (lambda text: b"", "not JSON"),
    "binary": (lambda text: bytes(range(256)), "not JSON"),
    "foreign": (lambda text: b'{"name": "something else"}', "no schema_version"),
    "a list": (lambda text: b"[1, 2]", "no schema_version"),
    "nested without end": (lambda text: b"[" * 100_000, "not JSON"),
    "of another status": (lambda text: text.replace(b'"done"', b'"fine"'), "status"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_record_is_named_and_the_rest_still_reads(name, results):
    spoil, reason = BAD[name]
    bad = made_up.put(results, made_up.trial(seed=0)) / "record.json"
    made_up.put(results, made_up.trial(seed=1))
    bad.write_bytes(spoil(bad.read_bytes()))
    here = Store(results)
    assert [found.record.trial.seed for found in here.trials("made-up")] == [1]
    ((path, why),) = here.unreadable
    assert path == bad
    assert reason in why


def test_bad_scores_are_named_and_their_record_still_reads(results):
    folder = made_up.put(results, made_up.trial(), made_up.scores({"hq": 1.0}))
    (folder / "scores.json").write_bytes(b"{")
    here = Store(results)
    (found,) = here.trials("made-up")
    assert found.scores is None
    assert [path.name for path, _ in here.unreadable] == ["scores.json"]


def test_bad_controls_are_named(results):
    made_up.put_controls(results, made_up.component("ring8"), {})
    made_up.put_controls(results, made_up.component("grid25"), {})
    (results / "made-up/ring8/controls.json").write_bytes(b"\x00")
    here = Store(results)
    assert [found.dataset for found in here.controls("made-up")] == ["grid25"]
    assert [path.parent.name for path, _ in here.unreadable] == ["ring8"]


def test_bad_plan_is_named(results):
    here = Store(results)
    here.write_plan(made_up.suite())
    (results / "made-up/suite.json").write_bytes(b'{"name": ')
    assert here.plan("made-up") is None
    assert [path.name for path, _ in here.unreadable] == ["suite.json"]


def test_folder_in_the_place_of_a_record_is_named(results):
    folder = made_up.put(results, made_up.trial())
    (folder / "record.json").unlink()
    (folder / "record.json").mkdir()
    here = Store(results)
    assert list(here.trials("made-up")) == []
    assert [path.name for path, _ in here.unreadable] == ["record.json"]


def test_what_is_missing_is_not_unreadable(results):
    here = Store(results)
    assert here.suites() == []
    assert list(here.trials("made-up")) == []
    assert here.plan("made-up") is None
    assert here.read_controls("made-up", made_up.component("ring8")) is None
    assert not here.unreadable


def copied(store):
    return {
        path.relative_to(store.root).as_posix(): of.relative_to(store.root).as_posix()
        for path, of in store.copies.values()
    }


@pytest.mark.parametrize(
    ("original", "copy"),
    [
        ("made-up/ring8/gan/{trial}", "made-up/ring8/gan/{trial}.bak"),
        ("made-up/ring8/gan/{trial}", "made-up/ring8/gan/seed-0-a copy"),
        ("made-up/ring8/gan", "made-up/ring8/a copy of gan"),
        ("made-up/ring8", "made-up/a copy of ring8"),
        ("made-up", "a copy of made-up"),
        ("made-up", "made-up.bak"),
    ],
)
def test_copy_counts_for_nothing_and_is_named(original, copy, results):
    folder = made_up.put(results, made_up.trial(seed=0), made_up.scores({"hq": 1.0}))
    made_up.put(results, made_up.trial(seed=1), made_up.scores({"hq": 1.0}))
    made_up.put_controls(results, made_up.component("ring8"), {})
    names = (original.format(trial=folder.name), copy.format(trial=folder.name))
    shutil.copytree(results / names[0], results / names[1])
    here = Store(results)
    assert here.suites() == ["made-up"]
    found = {trial.folder.parent: trial.record.trial.seed for trial in here.trials("made-up")}
    assert len(list(here.trials("made-up"))) == 2
    assert found.keys() == {folder.parent}
    assert len(list(here.controls("made-up"))) == 1
    assert all(path.startswith(names[1]) and of.startswith(names[0]) for path, of in copied(here).items())
    assert here.copies


def test_results_that_were_moved_still_count(results):
    made_up.put(results, made_up.trial(seed=0))
    (results / "made-up").rename(results / "renamed")
    here = Store(results)
    assert here.suites() == ["renamed"]
    assert len(list(here.trials("renamed"))) == 1
    assert not here.copies


def test_suite_that_holds_more_than_its_original_is_no_copy(results):
    made_up.put(results, made_up.trial(seed=0))
    shutil.copytree(results / "made-up", results / "older")
    made_up.put(results / "elsewhere", made_up.trial(seed=1))
    shutil.copytree(results / "elsewhere/made-up", results / "older", dirs_exist_ok=True)
    shutil.rmtree(results / "elsewhere")
    assert Store(results).suites() == ["made-up", "older"]


def test_controls_of_other_data_under_one_label_lie_beside_each_other(results):
    here, measured = Store(results), set()
    for name in ("ring8", "grid25", "ring8"):
        dataset = made_up.component(name).model_copy(update={"label": "mixture[path=centres.csv]"})
        measured.add(name)
        controls = ControlScores(dataset=dataset.label, key=name, draws={}, bands=(), truth=dataset.identity)
        here.write_controls("made-up", dataset, controls)
        assert here.read_controls("made-up", dataset) == controls
        found = list(Store(results).controls("made-up"))
        assert sorted(each.key for each in found) == sorted(measured)
    assert not here.copies


def test_entry_of_a_longer_name_is_not_the_copy_of_a_shorter_one(results):
    Store(results).write_external(made_up.external("mine", made_up.scores({"hq": 0.0})))
    (path,) = (results / "external").glob("*/*.json")
    shutil.copy(path, path.with_name("1.json"))
    renewed = made_up.external("mine", made_up.scores({"hq": 1.0}))
    Store(results).write_external(renewed)
    here = Store(results)
    assert list(here.externals()) == [renewed]
    assert set(here.copies) == {path.with_name("1.json")}


def test_entry_that_was_copied_counts_once(results):
    entry = made_up.external("mine", made_up.scores({"hq": 1.0}))
    Store(results).write_external(entry)
    (path,) = (results / "external").glob("*/*.json")
    shutil.copy(path, path.with_stem(f"{path.stem} copy"))
    here = Store(results)
    assert list(here.externals()) == [entry]
    assert set(here.copies) == {path.with_stem(f"{path.stem} copy")}


def test_reference_is_never_mixed_in(results):
    made_up.put(results / layout.REFERENCE, made_up.trial(seed=0))
    assert Store(results).suites() == []
    made_up.put(results, made_up.trial(seed=1))
    assert Store(results).suites() == ["made-up"]
    assert [found.record.trial.seed for found in Store(results).trials("made-up")] == [1]
    assert [found.record.trial.seed for found in Store(results).trials("made-up")] == [1]
    assert [found.record.trial.seed for found in Store(results / layout.REFERENCE).trials("made-up")] == [0]


def test_folder_without_records_is_no_suite(results):
    made_up.put(results, made_up.trial())
    (results / "report/made-up").mkdir(parents=True)
    (results / "report/made-up/landscapes.png").write_bytes(b"")
    assert Store(results).suites() == ["made-up"]


def test_plan_grows_with_what_is_run_under_its_name(results):
    here = Store(results)
    here.write_plan(made_up.suite(trainers=("gan", "wgan"), seeds=(0, 1)))
    here.write_plan(made_up.suite(trainers=("wgan",), seeds=(1, 2)))
    assert here.plan("made-up") == made_up.suite(trainers=("gan", "wgan"), seeds=(0, 1, 2))
    here.write_plan(made_up.suite(version=2))
    assert here.plan("made-up") == made_up.suite(version=2)


def test_plan_keeps_the_budgets_that_were_planned_before(results):
    here = Store(results)
    steps, seconds = Budget.parse("steps=40"), Budget.parse("seconds=2")
    here.write_plan(made_up.suite(budget=steps))
    here.write_plan(made_up.suite(budgets=(seconds, steps)))
    assert here.plan("made-up").budgets == (steps, seconds)


def test_plan_of_one_budget_that_is_stored_as_such_is_read(results):
    plan = made_up.suite(budget=Budget.parse("steps=7"))
    stored = plan.model_dump(mode="json")
    stored["budget"] = stored.pop("budgets")[0]
    (results / "made-up").mkdir(parents=True)
    (results / "made-up/suite.json").write_text(json.dumps(stored))
    assert Store(results).plan("made-up") == plan


def test_trials_of_several_budgets_live_beside_each_other(results):
    budgets = ("steps=40", "updates=40", "samples=40", "seconds=40")
    folders = {made_up.put(results, made_up.trial(budget=budget)) for budget in budgets}
    assert len(folders) == 4
    assert len({folder.parent for folder in folders}) == 1
    assert sorted(str(found.record.trial.budget) for found in Store(results).trials("made-up")) == sorted(budgets)


@given(LABELS, LABELS)
def test_slug_is_unique_and_fit_for_a_folder(one, other):
    assert (slug(one) == slug(other)) == (one == other)
    assert slug(one) == Path(slug(one)).name
    assert not slug(one).startswith(".")
    assert len(slug(one).encode()) < 120


@pytest.mark.parametrize(
    ("label", "folder"),
    [
        ("gan", "gan"),
        ("wgan-gp[penalty=1]", "wgan-gp+penalty=1"),
        ("gan[lr=0.002,recipe=seed2020]", "gan+lr=0.002+recipe=seed2020"),
    ],
)
def test_slug_of_a_plain_label_reads_like_it(label, folder):
    assert slug(label) == folder


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("mixture[path=a/b.csv]", "mixture[path=a_b.csv]"),
        ("a" * 150, "a" * 151),
        ("mixture[path=.]", "mixture[path=..]"),
        ("mixture[path=a,b=1]", "mixture[path=a+b=1]"),
        ("mixture[path=a]", "mixture[path=a]]"),
        ("..", "."),
        ("mixture[path=é]", "mixture[path=ü]"),
    ],
)
def test_slugs_of_awkward_labels_differ(one, other):
    assert slug(one) != slug(other)
    assert {slug(one), slug(other)}.isdisjoint({".", "..", ""})


def test_writable_folder_is_made_and_left_clean(results):
    Store(results / "deeper").check_writable()
    assert list((results / "deeper").iterdir()) == []


def test_file_in_the_place_of_the_folder_is_refused(tmp_path):
    (tmp_path / "results").write_text("a file")
    with pytest.raises(GenbenchError, match=r"Can't write to .*results.* \(.+\)\. Give another folder: --out DIR"):
        Store(tmp_path / "results" / "deeper").check_writable()


def test_folder_that_takes_no_files_is_refused(results, monkeypatch):
    def refuse(**where):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    monkeypatch.setattr(tempfile, "NamedTemporaryFile", refuse)
    with pytest.raises(GenbenchError, match=r"Can't write to .*\(Permission denied\).*--out DIR"):
        Store(results).check_writable()


def test_full_disk_is_refused(results, monkeypatch):
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage(2**40, 2**40 - 3 * 2**20, 3 * 2**20))
    with pytest.raises(GenbenchError, match=r"Only 3 MiB are free for .*--out DIR"):
        Store(results).check_writable()


def test_external_entry_is_found_where_a_person_would_look(results):
    entry = made_up.external("my model", made_up.scores({"hq": 0.9}), "ring[modes=5]")
    Store(results).write_external(entry)
    (path,) = results.rglob("*.json")
    assert path.parent == results / "external" / "ring+modes=5"
    assert path.name.startswith("my_model")
    assert list(Store(results).externals()) == [entry]
    assert Store(results).suites() == []


def test_entry_of_the_same_samples_keeps_its_scores_under_other_protocols(results):
    both = [made_up.scores({"hq": 0.9, "modes": 7.0}), made_up.scores({"hq": 0.8}, protocol="pacgan2018")]
    for scores in (*both, made_up.scores({"hq": 0.95})):
        Store(results).write_external(made_up.external("mine", scores))
    (found,) = Store(results).externals()
    assert [(s.name, s.identity.protocol, s.value) for s in found.scores] == [
        ("hq", "genbench1", 0.95),
        ("hq", "pacgan2018", 0.8),
    ]


@pytest.mark.parametrize("change", [{"samples_sha256": "cd" * 32}, {"dataset": made_up.component("ring8", version=2)}])
def test_entry_of_other_samples_takes_the_place_of_all(change, results):
    Store(results).write_external(made_up.external("mine", made_up.scores({"hq": 0.9}, protocol="pacgan2018")))
    other = made_up.external("mine", made_up.scores({"hq": 0.5}), **change)
    Store(results).write_external(other)
    assert list(Store(results).externals()) == [other]


def test_bad_external_entry_is_named(results):
    Store(results).write_external(made_up.external("mine", ()))
    (path,) = results.rglob("*.json")
    path.write_text("{")
    found = Store(results)
    assert list(found.externals()) == []
    assert [unreadable.path for unreadable in found.unreadable] == [path]
