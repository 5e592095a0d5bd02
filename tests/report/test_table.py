"""What a results folder says: every seed counted, every failure named, nothing compared that can't be."""

import json
import math
from statistics import mean, median

import made_up
import pytest

from genbench.records import layout
from genbench.records.record import ControlScores
from genbench.records.store import Found, Store
from genbench.registry import datasets
from genbench.report.frame import Thing, frame
from genbench.report.table import external_table, tables
from genbench.scoring.protocols import protocol as protocol_named
from genbench.scoring.shipped import bands_of
from genbench.spec import ENGINE_VERSION, Budget, Component

HQ = (0.91, 0.87, 0.95, 0.9, 0.5, 0.93, 0.92, 0.99, 0.89)

GENBENCH1 = protocol_named("genbench1")


@pytest.fixture
def put(tmp_path):
    """`put("gan", seed=3, modes=8.0)`: a trial with these scores; without any, one that failed."""

    def trial(trainer="gan", *, seed=0, dataset="ring8", budget="steps=40", status="done", reason=None, **values):
        of = made_up.trial(trainer, dataset, seed, budget)
        return made_up.put(tmp_path, of, made_up.scores(values) if values else None, status=status, reason=reason)

    return trial


@pytest.fixture
def enough(monkeypatch):
    """All samples of every trial are stored."""
    monkeypatch.setattr(Found, "samples", 10_000)


@pytest.fixture
def plan(tmp_path):
    return lambda **changes: Store(tmp_path).write_plan(made_up.suite(**changes))


@pytest.fixture
def read(tmp_path):
    """All tables by dataset."""
    return lambda protocol=GENBENCH1: tables(frame(Store(tmp_path), "made-up"), protocol)


@pytest.fixture
def rows(read):
    """The rows of the only table, by label."""

    def of_the_only_table(protocol=GENBENCH1):
        (table,) = read(protocol)
        return {row.label: row for row in table.rows}

    return of_the_only_table


@pytest.mark.parametrize(
    ("seeds", "ends"), [(3, (None, None)), (4, (None, None)), (5, (0.5, 0.95)), (6, (0.5, 0.95)), (9, (0.87, 0.95))]
)
def test_cell_holds_the_median_over_seeds_and_its_order_statistics(seeds, ends, put, rows):
    """Of five runs these are the range; of nine the second from either end: 1 − 2·10/2⁹ is 96 %, and the third's 82."""
    for seed, value in enumerate(HQ[:seeds]):
        put(seed=seed, hq=value)
    cell = rows()["gan"].cells["hq"]
    assert (sorted(cell.values), cell.lost) == (sorted(HQ[:seeds]), 0)
    assert cell.interval == (median(HQ[:seeds]), *ends)
    assert cell.mean == pytest.approx(mean(HQ[:seeds]))
    assert cell.band is None


def test_failures_and_what_left_nothing_to_measure_are_lost(put, rows):
    """A collapse so complete that its metric is undefined must not drop out of the column."""
    for seed in range(3):
        put(seed=seed, hq=0.9, std_ratio=1.0)
    put(seed=3, status="crashed", reason="no luck")
    row = rows()["gan"]
    assert row.cells["hq"].lost == 1
    assert row.cells["hq"].interval == (0.9, None, None)
    assert (row.finished, row.planned, len(row.failures)) == (3, 4, 1)


def test_undefined_scores_count_as_lost_and_skipped_ones_do_not(tmp_path, rows):
    for seed, state in enumerate(("undefined", "skipped", "undefined")):
        scores = [made_up.score(name, None).model_copy(update={"state": state}) for name in ("hq", "modes")]
        made_up.put(tmp_path, made_up.trial(seed=seed), scores)
    made_up.put(tmp_path, made_up.trial(seed=3), [made_up.score("hq", 0.5), made_up.score("modes", None)])
    cells = rows()["gan"].cells
    assert (cells["hq"].values, cells["hq"].lost, cells["hq"].interval.value) == ((0.5,), 2, -math.inf)
    assert (cells["modes"].values, cells["modes"].lost) == ((), 2)


def test_metric_without_any_value_has_no_column_and_a_note(tmp_path, read):
    nothing = {"state": "undefined", "reason": "its value is nan"}
    lost = [made_up.score(name, None).model_copy(update=nothing) for name in ("modes", "entropy")]
    skipped = made_up.score("std_ratio", None).model_copy(update={"state": "skipped", "reason": "no classes"})
    for seed in (0, 1):
        made_up.put(tmp_path, made_up.trial(seed=seed), [made_up.score("hq", 0.5), *lost, skipped])
    (table,) = read()
    assert [column.name for column in table.columns] == ["hq"]
    assert "No modes, entropy: its value is nan." in table.notes
    assert not any("std_ratio" in note for note in table.notes)


def test_finished_trials_without_scores_are_named(tmp_path, put, read, enough):
    for seed in range(3):
        put(seed=seed, hq=0.9)
    for path in sorted(tmp_path.rglob("scores.json"))[1:]:
        path.unlink()
    (table,) = read()
    assert table.gaps == (
        "Finished and without scores under genbench1, which genbench rescore --protocol genbench1 gives them: "
        "gan, seed 1; gan, seed 2.",
    )


def test_one_seed_has_no_interval(put, rows):
    put(hq=0.9)
    assert rows()["gan"].cells["hq"].interval == (0.9, None, None)


def test_seeds_that_are_still_missing_are_counted(put, plan, rows):
    plan(seeds=(0, 1, 2, 3, 4))
    for seed in (0, 3):
        put(seed=seed, hq=0.9)
    row = rows()["gan"]
    assert (row.finished, row.planned, row.failures) == (2, 5, ())


def test_planned_trainer_without_any_trial_has_a_row(put, plan, rows):
    plan(trainers=("gan", "wgan"), seeds=(0, 1))
    put("gan", hq=0.9)
    row = rows()["wgan"]
    assert (row.kind, row.finished, row.planned, row.cells) == ("trainer", 0, 2, {})


@pytest.mark.parametrize("status", ["diverged", "out-of-memory", "crashed"])
def test_failed_trial_is_counted_and_named_with_its_reason(status, put, plan, rows):
    plan(seeds=(0, 1, 2))
    put(seed=0, hq=0.9)
    put(seed=1, hq=0.8)
    put(seed=2, status=status, reason="it had to be")
    row = rows()["gan"]
    assert (row.finished, row.planned) == (2, 3)
    assert [*map(str, row.failures)] == [f"gan on ring8, seed 2: {status}: it had to be"]
    assert row.cells["hq"].values == (0.9, 0.8)


def test_scores_of_a_failed_trial_count_for_nothing(put, rows):
    put(seed=0, hq=0.9)
    put(seed=1, status="diverged", reason="nan", hq=0.1)
    assert rows()["gan"].cells["hq"].values == (0.9,)


def test_trial_whose_scores_are_gone_is_not_finished(put, rows):
    put(seed=0, hq=0.9)
    (put(seed=1, hq=0.8) / "scores.json").unlink()
    row = rows()["gan"]
    assert (row.finished, row.planned) == (1, 2)


def test_metric_that_applied_to_some_seeds_alone_keeps_those(put, rows):
    put(seed=0, hq=0.9, reverse_kl=None)
    put(seed=1, hq=0.8, reverse_kl=0.3)
    row = rows()["gan"]
    assert row.finished == 2
    assert row.cells["reverse_kl"].values == (0.3,)


def test_metric_that_nobody_has_is_no_column(put, read):
    put(hq=0.9, reverse_kl=None)
    (table,) = read()
    assert [column.name for column in table.columns] == ["hq"]


def test_controls_and_the_null_band_follow_the_trainers(put, rows, tmp_path):
    put(dataset="ring7", hq=0.9)
    drawn = {name: [made_up.scores({"hq": value + i / 100}) for i in range(3)] for name, value in
             (("oracle", 0.98), ("noise", 0.01))}  # fmt: skip
    band = [made_up.score("hq", None, (0.97, 0.99)), made_up.score("modes", None)]
    made_up.put_controls(tmp_path, made_up.component("ring7"), drawn, band)
    found = rows()
    assert [(row.kind, label) for label, row in found.items()] == [
        ("trainer", "gan"),
        ("control", "oracle"),
        ("control", "noise"),
        ("null band", "null band"),
    ]
    assert (found["noise"].finished, found["noise"].planned) == (3, 3)
    assert found["noise"].cells["hq"].interval.value == 0.02
    assert found["null band"].cells.keys() == {"hq"}
    assert found["null band"].cells["hq"].band == (0.97, 0.99)


@pytest.mark.parametrize("devices", [("here", "here"), ("here", "there")])
def test_several_devices_are_named(devices, read, tmp_path):
    for seed, device in enumerate(devices):
        trial = made_up.trial(seed=seed)
        made_up.put(tmp_path, trial, made_up.scores({"hq": 0.9}), provenance={"device": device})
    (table,) = read()
    assert any("several devices" in note and "here, there" in note for note in table.notes) == (devices[1] == "there")


@pytest.mark.parametrize("judges", [(None, "there"), ("there", "there"), ("here", "there")])
def test_where_scores_of_several_devices_stand_is_told(judges, read, tmp_path):
    for seed, judge in enumerate(judges):
        folder = made_up.put(tmp_path, made_up.trial(seed=seed), made_up.scores({"hq": 0.9}))
        scores = json.loads((folder / layout.SCORES).read_text())
        (folder / layout.SCORES).write_text(json.dumps({**scores, "device": judge}))
    (table,) = read()
    assert any("Scored on several devices" in note for note in table.notes) == (judges[0] == "here")


def test_missing_controls_are_missed(put, read):
    put(hq=0.9)
    (table,) = read()
    assert [note for note in table.notes if "controls are missing" in note]
    assert {row.kind for row in table.rows} == {"trainer"}


def test_controls_of_another_dataset_are_not_taken(put, read, tmp_path):
    put(hq=0.9)
    made_up.put_controls(tmp_path, made_up.component("grid25"), {"oracle": [made_up.scores({"hq": 1.0})]})
    (table,) = read()
    assert [row.label for row in table.rows] == ["gan"]


def test_scores_of_another_protocol_stay_out(tmp_path, read):
    both = (*made_up.scores({"hq": 0.9}), *made_up.scores({"hq": 0.7}, protocol="pacgan2018", n=2_500))
    made_up.put(tmp_path, made_up.trial(), both)
    for protocol, value in ((GENBENCH1, 0.9), (protocol_named("pacgan2018"), 0.7)):
        (table,) = read(protocol)
        assert table.rows[0].cells["hq"].values == (value,)


@pytest.mark.parametrize("change", [{"version": 2}, {"n": 500}, {"parameters": {"k": 2.0}}, {"dtype": "float16"}])
def test_values_of_another_identity_are_left_out_with_a_word(change, tmp_path, put, read):
    put(seed=0, hq=0.9)
    made_up.put(tmp_path, made_up.trial(seed=1), made_up.scores({"hq": 0.1}, **change))
    (table,) = read()
    assert table.rows[0].cells["hq"].values == (0.9,)
    assert [gap for gap in table.gaps if gap.startswith("Finished and without hq,") and gap.endswith(": gan, seed 1.")]


@pytest.mark.parametrize("old", [0, 1])
def test_column_is_what_its_metric_and_protocol_are_today(old, tmp_path, read, enough):
    as_it_was = made_up.scores({"hq": 0.1}, n=500)
    made_up.put_controls(tmp_path, made_up.component("ring8"), {"oracle": [as_it_was]}, [])
    Store(tmp_path).write_external(made_up.external("theirs", as_it_was))
    for seed in (0, 1):
        made_up.put(tmp_path, made_up.trial(seed=seed), as_it_was if seed == old else made_up.scores({"hq": 0.9}))
    (table,) = read()
    assert table.rows[0].cells["hq"].by_seed == {1 - old: 0.9}
    assert table.gaps == (
        f"Finished and without hq, which genbench rescore --protocol genbench1 gives them: gan, seed {old}.",
        "Left out of theirs, being of another version, source or n than their column: hq; genbench score measures "
        "them anew.",
        "Left out of oracle, being of another version, source or n than their column: hq; genbench run measures them "
        "anew.",
    )


def test_lack_of_samples_under_a_protocol_that_was_not_planned_tells_how_to_get_there(tmp_path, put, plan, read):
    put(hq=0.9)
    plan()
    theirs = made_up.scores({"hq": 0.7, "modes": 8.0}, protocol="pacgan2018", n=2_500)
    Store(tmp_path).write_external(made_up.external("theirs", theirs))
    (table,) = read(protocol_named("pacgan2018"))
    assert table.gaps == (
        "Finished and without hq, modes, for which they keep too few samples: train again, and keep 2500 or more "
        "(--rerun all --keep-samples 2500), then genbench rescore --protocol pacgan2018: gan, seed 0.",
    )


def test_column_that_was_added_to_samples_from_elsewhere_alone_is_lacked_by_nobody(tmp_path, put, read, enough):
    put(hq=0.9)
    added = made_up.score("far", 1.0).model_copy(update={"added": True})
    Store(tmp_path).write_external(made_up.external("theirs", [*made_up.scores({"hq": 0.9}), added]))
    (table,) = read()
    assert [column.name for column in table.columns] == ["hq", "far"]
    assert table.gaps == ()


def test_headline_is_the_protocols_columns_in_its_order(put, read):
    put(w2=0.2, hq=0.9, mmd=0.1, modes=8.0)
    (table,) = read()
    assert {column.name for column in table.columns} == {"w2", "hq", "mmd", "modes"}
    assert [column.name for column in table.headline().columns] == ["modes", "hq", "w2"]
    assert table.headline().rows == table.rows


def test_columns_know_their_unit_and_direction(put, read):
    put(hq=0.9, reverse_kl=0.1)
    (table,) = read()
    assert [(c.name, c.unit, c.higher_is_better) for c in table.columns] == [
        ("hq", "fraction", True),
        ("reverse_kl", "nats", False),
    ]


def test_tables_and_rows_keep_the_plans_order(put, plan, read):
    plan(datasets=("swissroll", "ring8"), trainers=("wgan", "gan"))
    for dataset in ("ring8", "grid25", "swissroll"):
        for trainer in ("gan", "wgan", "extra"):
            put(trainer, dataset=dataset, hq=0.5)
    found = read()
    assert [table.dataset for table in found] == ["swissroll", "ring8", "grid25"]
    assert [row.label for row in found[0].rows] == ["wgan", "gan", "extra"]


def test_budgets_never_share_a_table(put, plan, read):
    plan(budget=Budget.parse("steps=40"), seeds=(0, 1))
    put(budget="steps=40", hq=0.5)
    put(budget="steps=80", hq=0.9)
    found = {str(table.budget): table.rows[0] for table in read()}
    assert found["steps=40"].cells["hq"].values == (0.5,)
    assert found["steps=80"].cells["hq"].values == (0.9,)
    assert [found[budget].planned for budget in ("steps=40", "steps=80")] == [2, 1]


def test_every_planned_budget_has_a_table_in_the_plans_order(put, plan, read):
    plan(budgets=tuple(map(Budget.parse, ("updates=40", "samples=9", "seconds=2"))), seeds=(0, 1))
    for budget in ("seconds=2", "samples=9", "steps=40", "updates=40"):
        put(budget=budget, hq=0.5)
    found = read()
    assert [str(table.budget) for table in found] == ["updates=40", "samples=9", "seconds=2", "steps=40"]
    assert [table.rows[0].planned for table in found] == [2, 2, 2, 1]


def test_versions_of_one_trainer_are_rows_of_their_own(tmp_path, read):
    for version, value in ((1, 0.5), (2, 0.9)):
        of = made_up.trial(made_up.component("gan", version=version))
        made_up.put(tmp_path, of, made_up.scores({"hq": value}))
    (table,) = read()
    assert {row.label: row.cells["hq"].values for row in table.rows} == {
        "gan (version 1)": (0.5,),
        "gan (version 2)": (0.9,),
    }


@pytest.mark.parametrize(
    ("changes", "rows"),
    [
        ({"engine": ENGINE_VERSION - 1}, [f"gan (engine {ENGINE_VERSION - 1})", f"gan (engine {ENGINE_VERSION})"]),
        (
            {"trainer": made_up.component("gan", parameters={"recipe": "x", "lr": 1.0}, version=2)},
            ["gan (version 1)", "gan (version 2, lr=1.0, recipe=x)"],
        ),
    ],
    ids=["engine", "a recipe that names other values"],
)
def test_trials_that_differ_in_more_than_their_seed_share_no_row(tmp_path, read, changes, rows):
    for change in ({}, changes):
        made_up.put(tmp_path, made_up.trial(**change), made_up.scores({"hq": 0.5}))
    (table,) = read()
    assert sorted(row.label for row in table.trainers) == sorted(rows)


@pytest.mark.parametrize(
    ("changes", "names"),
    [
        ({"version": 2}, ["ring8 (version 1)", "ring8 (version 2)"]),
        ({"files": {"path": "ab" * 32}}, ["ring8 (without path abababab…)", "ring8 (path abababab…)"]),
        ({"parameters": {"std": 0.5}}, ["ring8 (without std=0.5)", "ring8 (std=0.5)"]),
    ],
    ids=["version", "an edited file", "another default"],
)
def test_what_was_trained_on_other_data_shares_no_table_whatever_its_label(tmp_path, plan, read, changes, names):
    """One trainer on the old data and another on the new were told apart, as if they had learnt the same."""
    plan(trainers=("gan", "wgan"), seeds=tuple(range(6)))
    other = made_up.component("ring8", **changes)
    for seed in range(6):
        for trainer, dataset, value in (("gan", "ring8", 0.1), ("wgan", other, 0.5)):
            of = made_up.trial(trainer, dataset, seed)
            made_up.put(tmp_path, of, made_up.scores({"reverse_kl": value + seed / 100}))
    drawn = {"oracle": [made_up.scores({"reverse_kl": 0.001})]}
    made_up.put_controls(tmp_path, other, drawn, truth=other.identity)
    found = read()
    assert [table.dataset for table in found] == names
    assert [[(row.label, row.finished, row.planned) for row in table.trainers] for table in found] == [
        [("gan", 6, 6), ("wgan", 0, 6)], [("gan", 0, 6), ("wgan", 6, 6)],
    ]  # fmt: skip
    assert not any(finding for table in found for finding in table.findings.values())
    measured = [any(row.kind == "control" for row in table.rows) for table in found]
    assert measured == [table.truth == Thing.of(other) for table in found], "controls stand beside their own data"


def test_what_carries_one_label_is_named_apart_in_the_whole_suite(tmp_path, read):
    """Rows of two versions, each on a dataset of its own, are no one trainer's across datasets."""
    for version, dataset in ((1, "ring8"), (2, "grid25")):
        made_up.put(
            tmp_path, made_up.trial(made_up.component("gan", version=version), dataset), made_up.scores({"hq": 0.5})
        )
    assert {table.dataset: [row.label for row in table.trainers] for table in read()} == {
        "ring8": ["gan (version 1)"], "grid25": ["gan (version 2)"],
    }  # fmt: skip


@pytest.mark.parametrize("others", [["high"], ["high", "bf16"]], ids=["one row", "two rows"])
def test_what_failed_before_it_could_say_how_it_computes_is_in_the_only_row_that_may_be_its_own(tmp_path, read, others):
    """In a row of its own its failure would count for nothing."""
    for place, precision in enumerate(others):
        made = {"flags": {"matmul_precision": precision}, "engine": {"autocast": False}}
        made_up.put(tmp_path, made_up.trial(seed=place), made_up.scores({"hq": 0.5}), provenance=made)
    made_up.put(tmp_path, made_up.trial(seed=9), status="crashed", reason="its process died", provenance={})
    (table,) = read()
    found = {row.label: (row.finished, len(row.failures)) for row in table.trainers}
    assert found == (
        {"gan": (1, 1)}
        if len(others) == 1
        else {"gan (precision high)": (1, 0), "gan (precision bf16)": (1, 0), "gan (precision highest)": (0, 1)}
    )


def test_versions_stand_in_the_order_of_their_numbers(tmp_path, read):
    for version in (10, 9, 2):
        made_up.put(tmp_path, made_up.trial(made_up.component("gan", version=version)), made_up.scores({"hq": 0.5}))
    (table,) = read()
    assert [row.label for row in table.trainers] == [f"gan (version {version})" for version in (2, 9, 10)]


def test_decays_that_are_nearly_equal_are_two(tmp_path, read):
    for decay in (0.999, 0.9990001):
        both = made_up.scores({"hq": 0.5}) + made_up.scores({"hq": 0.75}, ema=decay)
        made_up.put(tmp_path, made_up.trial(ema=decay), both)
    (table,) = read()
    assert sorted(row.label for row in table.trainers) == [
        "gan (EMA 0.999)", "gan (EMA 0.999), EMA 0.999", "gan (EMA 0.9990001)", "gan (EMA 0.9990001), EMA 0.9990001",
    ]  # fmt: skip


def test_every_row_of_a_planned_trainer_lacks_what_it_lacks(tmp_path, plan, read):
    plan(trainers=("gan", "wgan"), seeds=(0, 1, 2))
    for version, seeds in ((1, (0, 1, 2)), (2, (0,))):
        for seed in seeds:
            of = made_up.trial(made_up.component("gan", version=version), seed=seed)
            made_up.put(tmp_path, of, made_up.scores({"hq": 0.5}))
    (table,) = read()
    assert [(row.label, row.finished, row.planned) for row in table.trainers] == [
        ("gan (version 1)", 3, 3), ("gan (version 2)", 1, 3), ("wgan", 0, 3),
    ]  # fmt: skip


def test_runs_with_and_without_an_average_fail_in_rows_of_their_own(tmp_path, read):
    """They are two trials of one seed: no failure counts twice against three finished runs."""
    for ema in (None, 0.999):
        for seed in range(3):
            made_up.put(tmp_path, made_up.trial(seed=seed, ema=ema), status="diverged", reason="nan")
            made_up.put(tmp_path, made_up.trial("wgan", seed=seed, ema=ema), made_up.scores({"hq": 0.5}))
    (table,) = read()
    assert {(row.label, row.finished, len(row.failures)) for row in table.trainers} == {
        ("gan (no EMA)", 0, 3),
        ("gan (EMA 0.999)", 0, 3),
        ("wgan (no EMA)", 3, 0),
        ("wgan (EMA 0.999)", 3, 0),
    }
    assert all(row.ended.keys() == {0, 1, 2} for row in table.trainers)


def test_the_null_band_is_the_one_that_ships_today(tmp_path, read):
    ring = Component.resolve(datasets, "ring8")
    shipped = next(b.score for b in bands_of("hq") if b.dataset == "ring8" and b.score.identity.protocol == "genbench1")
    for changes in ({}, {"identity": shipped.identity.model_copy(update={"version": 99})}):
        stored = shipped.model_copy(update={"null_low": 0.1, "null_high": 0.2, **changes})
        made_up.put(tmp_path, made_up.trial("gan", ring), [stored.model_copy(update={"value": 0.5, "state": "ok"})])
        made_up.put_controls(tmp_path, ring, {}, [stored])
        (table,) = read()
        band = table.band("hq")
        assert band == ((0.1, 0.2) if changes else (shipped.null_low, shipped.null_high))


def test_controls_of_the_identity_that_trials_have_are_found_among_others(tmp_path, read):
    """Those of another source of a metric are beside them, newest first."""
    dataset = made_up.component("mine")
    made_up.put(tmp_path, made_up.trial("gan", dataset), made_up.scores({"hq": 0.5}))
    made_up.put_controls(
        tmp_path, dataset,
        {"oracle": [(*made_up.scores({"hq": 1.0}, version=2), *made_up.scores({"hq": 0.9, "gone": 1.0}))] * 2},
        [made_up.score("hq", None, (0.7, 0.8), version=2), made_up.score("hq", None, (0.9, 1.0))],
    )  # fmt: skip
    (table,) = read()
    assert {row.label: row.cell("hq").values for row in table.rows if row.kind != "null band"} == {
        "gan": (0.5,), "oracle": (0.9, 0.9),
    }  # fmt: skip
    assert table.band("hq") == (0.9, 1.0)
    assert [column.name for column in table.columns] == ["hq"]
    assert table.gaps == ()


def test_columns_are_of_the_identity_that_trials_have_whatever_controls_are_of(tmp_path, read):
    dataset = made_up.component("ring8")
    for seed in range(4):
        for trainer in ("gan", "wgan"):
            made_up.put(tmp_path, made_up.trial(trainer, dataset, seed), made_up.scores({"hq": 0.5 + seed / 100}))
    made_up.put_controls(
        tmp_path, dataset, {"oracle": [made_up.scores({"hq": 1.0}, version=2)]},
        [made_up.score("hq", None, (0.9, 1.0), version=2)],
    )  # fmt: skip
    (table,) = read()
    assert [(row.label, len(row.cell("hq").values)) for row in table.rows] == [
        ("gan", 4), ("wgan", 4), ("oracle", 0), ("null band", 0),
    ]  # fmt: skip
    assert table.band("hq") is None
    assert table.gaps == (
        "Left out of null band, oracle, being of another version, source or n than their column: hq; genbench run "
        "measures them anew.",
    )


def test_values_of_one_trainer_alone_are_no_lack_of_seeds(tmp_path, read):
    for seed in range(4):
        for trainer, version in (("gan", 1), ("wgan", 2)):
            made_up.put(tmp_path, made_up.trial(trainer, seed=seed), made_up.scores({"hq": 0.5}, version=version))
    (table,) = read()
    assert table.notes[-1] == "No differences are marked: no column has values of two trainers."


@pytest.mark.parametrize(
    ("provenance", "row"),
    [
        ({"flags": {"matmul_precision": "high"}}, "gan (precision high)"),
        ({"engine": {"autocast": True}, "flags": {"matmul_precision": "highest"}}, "gan (precision bf16)"),
        ({"engine": {"channels_last": True}}, "gan (channels last)"),
        ({"flags": {"portable": {"instructions": "avx2"}}}, "gan (portable arithmetic)"),
    ],
)
def test_other_arithmetic_has_a_row_of_its_own(tmp_path, read, provenance, row):
    for seed, origin in enumerate(({"flags": {"matmul_precision": "highest"}}, {}, provenance)):
        made_up.put(tmp_path, made_up.trial(seed=seed), made_up.scores({"hq": 0.5}), provenance=origin)
    (table,) = read()
    assert {found.label: found.finished for found in table.trainers}[row] == 1
    assert sum(found.finished for found in table.trainers) == 3


def test_averaged_weights_have_a_row_of_their_own_in_the_same_columns(tmp_path, read):
    for seed in range(3):
        both = made_up.scores({"hq": 0.25 + seed / 4}) + made_up.scores({"hq": 0.75 + seed / 16}, ema=0.999)
        made_up.put(tmp_path, made_up.trial("gan", "ring8", seed), both if seed else both[:1])
    (table,) = read()
    assert [(row.label, row.finished) for row in table.rows] == [("gan", 3), ("gan, EMA 0.999", 2)]
    assert [row.cells["hq"].values for row in table.rows] == [(0.25, 0.5, 0.75), (0.8125, 0.875)]
    (column,) = table.columns
    assert column.identity.ema is None


def test_failed_trial_is_lost_to_averaged_weights_too(tmp_path, put, rows):
    both = made_up.scores({"hq": 0.5}) + made_up.scores({"hq": 0.75}, ema=0.999)
    made_up.put(tmp_path, made_up.trial("gan"), both)
    put(seed=1, status="diverged", reason="nan")
    found = {label: row.cells["hq"] for label, row in rows().items()}
    assert {label: (cell.values, cell.lost, cell.interval.value) for label, cell in found.items()} == {
        "gan": ((0.5,), 1, -math.inf),
        "gan, EMA 0.999": ((0.75,), 1, -math.inf),
    }


def test_all_of_a_suites_tables_are_judged_together(put, read):
    for dataset in ("ring8", "grid25"):
        for seed in range(4):
            put("gan", seed=seed, dataset=dataset, hq=0.5 + (seed / 100 if dataset == "ring8" else 0.0))
            put("wgan", seed=seed, dataset=dataset, hq=(0.9 + seed / 100) if dataset == "ring8" else 0.5)
    found = {table.dataset: table for table in read()}
    (finding,) = found["ring8"].findings["hq"].values()
    # Two tables with a pair each: the least p of four against four, 2 of 70, is taken twice by Simes.
    assert (finding.p, finding.lone) == (pytest.approx(4 / 70), pytest.approx(4 / 70))
    assert {table.seeds_needed for table in found.values()} == {5}
    assert {row.cells["hq"].letters for row in found["ring8"].rows} == {"a"}


def test_empty_folder_has_no_tables(read):
    assert read() == []


@pytest.fixture
def put_external(tmp_path):
    return lambda name="mine", dataset="ring8", **values: Store(tmp_path).write_external(
        made_up.external(name, made_up.scores(values), dataset)
    )


def test_externals_stand_between_trainers_and_controls(put, put_external, rows, tmp_path):
    put(hq=0.9)
    put_external(hq=0.7)
    made_up.put_controls(tmp_path, made_up.component("ring8"), {"oracle": [made_up.scores({"hq": 0.98})]})
    found = rows()
    assert [(row.kind, label) for label, row in found.items()] == [
        ("trainer", "gan"),
        ("external", "mine"),
        ("control", "oracle"),
        ("null band", "null band"),
    ]
    assert found["mine"].cells["hq"].values == (0.7,)


def test_no_test_compares_externals(put, put_external, read):
    for seed in range(6):
        put("gan", seed=seed, hq=0.5 + seed / 100)
        put("wgan", seed=seed, hq=0.9 + seed / 100)
    put_external(hq=0.7)
    (table,) = read()
    letters = {row.label: row.cells["hq"].letters for row in table.rows}
    assert letters["mine"] == ""
    assert letters["gan"] != letters["wgan"]
    assert [note for note in table.notes if "no test compares them" in note]


def test_external_named_like_a_trainer_takes_none_of_its_letters(put, put_external, read):
    for seed in range(6):
        put("gan", seed=seed, hq=0.5 + seed / 100)
        put("wgan", seed=seed, hq=0.9 + seed / 100)
    put_external("gan", hq=0.9)
    (table,) = read()
    assert {(row.kind, row.label): row.cells["hq"].letters != "" for row in table.rows} == {
        ("trainer", "gan"): True,
        ("trainer", "wgan"): True,
        ("external", "gan"): False,
    }


def test_externals_of_another_dataset_or_protocol_are_no_rows(put, put_external, read, enough):
    put(hq=0.9)
    put_external(dataset="grid25", hq=0.7)
    put_external("other", hq=0.7)
    (table,) = read(protocol_named("pacgan2018"))
    assert [row.label for row in table.rows] == ["gan"]
    assert table.notes == (
        "This dataset's controls are missing; genbench run measures them.",
        "Finished and without scores under pacgan2018, which genbench rescore --protocol pacgan2018 gives them: "
        "gan, seed 0.",
    )


@pytest.mark.parametrize(
    ("samples", "given"),
    [
        (10_000, "which genbench rescore --protocol genbench1 gives them"),
        (9_999, "which only training again gives them (--rerun all)"),
    ],
)
def test_finished_trials_that_lack_some_columns_are_named_with_what_gives_them(samples, given, put, read, monkeypatch):
    monkeypatch.setattr(Found, "samples", samples)
    put(hq=0.9, modes=8)
    put(seed=1, hq=0.9)
    put("wgan", hq=0.9)
    for seed in range(20):
        put("wgan-gp", seed=seed, modes=8)
    (table,) = read()
    assert table.gaps == (
        f"Finished and without modes, {given}: gan, seed 1; wgan, seed 0.",
        f"Finished and without hq, {given}: "
        + "; ".join(f"wgan-gp, seed {seed}" for seed in (0, 1, 10, 11, 12, 13, 14, 15, 16, 17))
        + "; and 10 more.",
    )
    assert {*table.gaps} <= {*table.notes}


def test_likelihood_of_one_trainer_is_no_lack_of_another(tmp_path, put, read, enough):
    put(hq=0.9)
    likelihood = made_up.score("nll", 1.0).model_copy(update={"added": True})
    made_up.put(tmp_path, made_up.trial("flow"), [*made_up.scores({"hq": 0.9}), likelihood])
    (table,) = read()
    assert [column.name for column in table.columns] == ["hq", "nll"]
    assert table.gaps == ()
    made_up.put(tmp_path, made_up.trial("flow", seed=1), made_up.scores({"hq": 0.9}))
    (table,) = read()
    assert table.gaps == (
        "Finished and without nll, which only training again gives them (--rerun all): flow, seed 1.",
    )


def test_column_that_was_added_to_some_trials_is_lacked_by_others(tmp_path, put, read, enough):
    put(hq=0.9)
    added = made_up.score("far", 1.0).model_copy(update={"added": True})
    made_up.put(tmp_path, made_up.trial(seed=1), [*made_up.scores({"hq": 0.9}), added])
    (table,) = read()
    assert table.gaps == ("Finished and without far, which genbench rescore --metric far gives them: gan, seed 0.",)


def test_scores_that_were_skipped_though_their_metric_applies_say_why(tmp_path, put, read, enough):
    put(hq=0.9)
    few = [made_up.score(name, None, band=(0.9, 1.0)) for name in ("hq", "modes")]
    few = [score.model_copy(update={"reason": "needs 500 samples and got 100"}) for score in few]
    elsewhere = made_up.score("hq", None, band=(0.9, 1.0), protocol="elsewhere")
    made_up.put(tmp_path, made_up.trial(seed=1), [*few, elsewhere])
    (table,) = read()
    assert table.gaps == ("Finished and without hq, modes (needs 500 samples and got 100): gan, seed 1.",)


def test_externals_of_another_version_of_the_dataset_are_left_out_with_a_word(put, put_external, read):
    put(hq=0.9)
    put_external(dataset=made_up.component("ring8", version=2), hq=0.7)
    (table,) = read()
    assert [row.label for row in table.rows] == ["gan"]
    assert [note for note in table.notes if note.endswith("so left out: mine.")]


def test_what_was_trained_decides_which_identity_a_column_has(put, tmp_path, read):
    put(hq=0.9)
    Store(tmp_path).write_external(made_up.external("mine", made_up.scores({"hq": 0.7}, version=2)))
    (table,) = read()
    assert {row.label: [*row.cells] for row in table.rows} == {"gan": ["hq"], "mine": []}


def test_table_of_samples_alone_says_why_cells_are_empty():
    entry = made_up.external("mine.npy", made_up.scores({"modes": None, "hq": 0.7, "reverse_kl": None, "w2": None}))
    controls = ControlScores(
        dataset="ring8",
        key="",
        draws={"oracle": (made_up.scores({"modes": 8, "hq": 0.98, "reverse_kl": 0.1}),)},
        bands=(),
    )
    table = external_table(entry, GENBENCH1, controls)
    assert [(row.kind, row.label) for row in table.rows][:2] == [("external", "mine.npy"), ("control", "oracle")]
    assert table.notes == ("No modes, reverse_kl: made up.",)
    assert (table.suite, table.budget) == ("", None)
