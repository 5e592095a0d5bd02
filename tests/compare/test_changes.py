"""What changed: the findings are those of reports, and a breach needs both a finding and a margin."""

import math
from dataclasses import replace

import made_up
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from genbench.compare.changes import breaches, changes, gated
from genbench.compare.margins import Margin
from genbench.compare.sides import Match, two_folders
from genbench.report.model import Cell, Column, Row, Table
from genbench.report.verdict import judged
from genbench.scoring.protocols import protocol
from genbench.spec import Budget
from genbench.stats.closure import corrected, lone_p
from genbench.stats.effects import minimal_detectable_effect, pooled_deviation, shift

BUDGET = Budget.parse("steps=40")
GOOD, BAD, NEAR = (
    [0.010, 0.012, 0.011, 0.015, 0.013],
    [0.30, 0.25, 0.41, 0.33, 0.29],
    [0.014, 0.010, 0.012, 0.011, 0.016],
)


def logs(*sides):
    return {name: np.log(of).tolist() for name, of in zip("AB", sides, strict=True)}


@pytest.fixture
def pairs(folders):
    return lambda: two_folders(folders.store("A"), folders.store("B"), folders.suites).pairs


@pytest.fixture
def compare(pairs):
    return lambda *metrics: changes(pairs(), metrics)


@pytest.fixture
def broken(pairs):
    def by(*margins):
        of, asked = pairs(), [Margin.parse(text) for text in margins]
        return breaches(of, changes(of, [margin.metric for margin in asked]), asked)

    return by


def test_every_number_is_that_of_the_statistics(folders, compare):
    folders.put("A", reverse_kl=GOOD)
    folders.put("B", reverse_kl=BAD)
    (change,) = compare()
    deviation = pooled_deviation(GOOD, BAD)
    assert (change.before.values, change.after.values) == (tuple(GOOD), tuple(BAD))
    assert change.worsening == shift(GOOD, BAD)
    assert change.worsening.value == pytest.approx(float(np.median(np.subtract.outer(BAD, GOOD))))
    assert change.finding.p == corrected([logs(GOOD, BAD)])[0][frozenset("AB")] == pytest.approx(2 / 252)
    assert change.better == 0
    assert change.detectable == pytest.approx(minimal_detectable_effect(deviation, 5))
    assert (change.verdict, change.powerless, change.needed) == ("worse", False, 4)


def test_sides_exchanged_turn_worse_into_better(folders, compare):
    folders.put("A", reverse_kl=BAD)
    folders.put("B", reverse_kl=GOOD)
    (change,) = compare()
    assert (change.verdict, change.better) == ("better", 1)
    assert change.worsening.value < 0


def test_claims_are_corrected_column_by_column_over_all_that_is_compared(folders, compare):
    for trainer, after in (("gan", BAD), ("wgan", NEAR)):
        folders.put("A", trainer, reverse_kl=GOOD, hq=GOOD)
        folders.put("B", trainer, reverse_kl=after, hq=GOOD)
    found = {(change.column.name, change.pair.trainer): change.finding.p for change in compare()}
    wanted = corrected([logs(GOOD, BAD), logs(GOOD, NEAR)])
    assert [found["reverse_kl", name] for name in ("gan", "wgan")] == [of[frozenset("AB")] for of in wanted]
    assert found["reverse_kl", "gan"] == pytest.approx(2 * 2 / 252)
    assert [change.finding.p for change in compare("reverse_kl")] == [
        p for (metric, _), p in found.items() if metric == "reverse_kl"
    ]


def test_few_seeds_have_numbers_and_no_verdict(folders, compare, broken):
    folders.put("A", reverse_kl=GOOD[:3])
    folders.put("B", reverse_kl=BAD[:3])
    (change,) = compare()
    assert (change.verdict, change.finding, change.powerless, change.needed) == ("untested", None, True, 4)
    assert change.worsening == (pytest.approx(0.289), None, None)
    assert broken("reverse_kl") == []


def test_failures_are_worse_than_any_score(folders, compare, broken):
    folders.put("A", reverse_kl=GOOD)
    folders.put("B", reverse_kl=GOOD[:1])
    for seed in range(1, 5):
        folders.fail("B", seed=seed)
    (change,) = compare()
    assert change.after.lost == 4
    assert change.worsening.value == math.inf
    assert change.better == pytest.approx(4.5 / 25)
    assert change.verdict == "unclear"
    assert broken("reverse_kl") == []


def test_side_all_of_whose_runs_failed_breaks_every_margin(folders, broken):
    folders.put("A", "gan", reverse_kl=GOOD)
    folders.put("A", "wgan", reverse_kl=GOOD)
    folders.put("B", "wgan", reverse_kl=GOOD)
    for seed in range(5):
        folders.fail("B", "gan", seed=seed)
    (breach,) = broken("reverse_kl:+10000%")
    assert (breach.change.pair.trainer, breach.worsening) == ("gan", math.inf)


def test_metric_that_applies_to_one_side_alone_has_a_row_without_statistics(folders, compare):
    folders.put("A", hq=GOOD, std_ratio=GOOD)
    folders.put("B", hq=GOOD, std_ratio=[None] * 5)
    (change,) = compare("std_ratio")
    assert (change.before.values, change.after.values) == (tuple(GOOD), ())
    assert (change.worsening, change.verdict) == (None, "untested")


def test_metric_without_a_direction_is_best_at_the_oracles_value(folders, compare):
    folders.put("A", std_ratio=[1.5, 1.4, 1.6, 1.55, 1.45])
    folders.put("B", std_ratio=[0.95, 0.9, 0.92, 0.96, 0.91])
    (without,) = compare()
    assert (without.verdict, without.better, without.worsening) == ("untested", None, None)
    folders.oracle("A", std_ratio=1.0)
    (change,) = compare()
    assert (change.verdict, change.better) == ("better", 1)
    assert change.worsening.value == pytest.approx(0.08 - 0.5)


@pytest.mark.parametrize(
    ("text", "breach"),
    [
        ("reverse_kl", True),
        ("reverse_kl:+10%", True),
        ("reverse_kl:+0.2", True),
        ("reverse_kl:+0.4", False),
        ("reverse_kl:+2000%", True),
        ("reverse_kl:+3000%", False),
    ],
)
def test_breach_is_a_worsening_beyond_the_margin(text, breach, folders, broken):
    folders.put("A", reverse_kl=GOOD)
    folders.put("B", reverse_kl=BAD)
    found = broken(text)
    assert bool(found) is breach
    assert all(one.worsening == shift(GOOD, BAD).value for one in found)


def test_no_breach_by_what_may_be_chance_however_large(folders, compare, broken):
    folders.put("A", reverse_kl=GOOD)
    folders.put("B", reverse_kl=[0.009, 0.0105, 50.0, 0.014, 90.0])
    (change,) = compare()
    assert change.verdict == "unclear"
    assert broken("reverse_kl") == []


def test_no_breach_by_an_improvement(folders, broken):
    folders.put("A", reverse_kl=BAD)
    folders.put("B", reverse_kl=GOOD)
    assert broken("reverse_kl") == []


@pytest.mark.parametrize(
    ("text", "breach"), [("std_ratio:+0.1", False), ("std_ratio:-0.1", True), ("std_ratio", False)]
)
def test_sign_says_which_way_is_worse_where_the_metric_does_not(text, breach, folders, broken):
    folders.put("A", std_ratio=[1.5, 1.4, 1.6, 1.55, 1.45])
    folders.put("B", std_ratio=[0.95, 0.9, 0.92, 0.96, 0.91])
    assert bool(broken(text)) is breach
    assert bool(broken("std_ratio:+0.1", text)) is breach


@pytest.mark.parametrize(("seeds", "powerless", "needed"), [(5, True, 6), (6, False, 6)])
def test_a_gate_knows_whether_it_could_find_a_lone_regression(seeds, powerless, needed, folders, pairs):
    for trainer in [f"t{i}" for i in range(9)]:
        for side in ("A", "B"):
            folders.put(side, trainer, reverse_kl=[*GOOD, 0.02][:seeds])
    of = pairs()
    gate = gated(of, changes(of), Margin.parse("reverse_kl"))
    assert {change.powerless for change in gate} == {powerless}
    assert {change.needed for change in gate} == {needed}
    assert {change.finding.lone for change in gate} == {lone_p(seeds, seeds, 2, 9)}


def column(name):
    score = made_up.score(name, 1.0)
    return Column(name, score.unit, score.higher_is_better, score.identity, (0, None))


RUNS = st.lists(st.one_of(st.just(None), st.integers(1, 9).map(lambda i: i / 4)), min_size=2, max_size=8)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.lists(RUNS, min_size=2, max_size=4), min_size=1, max_size=3))
def test_a_comparison_of_two_trainers_never_disagrees_with_their_report(suite):
    """Random suites, with failures and ties: verdict, p and letters are one and the same."""
    tables = []
    for place, trainers in enumerate(suite):
        rows = []
        for i, runs in enumerate(trainers):
            scores, failed = [run for run in runs if run is not None], runs.count(None)
            cells = {"reverse_kl": Cell.of(dict(enumerate(scores)), False, failed)} if scores else {}
            rows.append(Row("trainer", f"t{i}", cells, len(scores), len(runs), ("x",) * failed))
        tables.append(
            Table("made-up", f"d{place}", BUDGET, protocol("genbench1"), (column("reverse_kl"),), tuple(rows))
        )  # fmt: skip
    for table in judged(tables):
        rows = {row.label: row for row in table.rows}
        for one, other in ((a, b) for a in rows for b in rows if a < b):
            for before, after in ((one, other), (other, one)):
                found = changes([Match(table, table, rows[before], rows[after])], ["reverse_kl"])
                finding = table.findings["reverse_kl"].get(frozenset((one, other)))
                if finding is None or not found:
                    assert not found or found[0].verdict == "untested"
                    continue
                (change,) = found
                assert change.finding.p == finding.p
                assert (change.verdict == "worse") == finding.beats(before)
                assert (change.verdict == "better") == finding.beats(after)
                marks = [set(rows[name].cells["reverse_kl"].letters) for name in (one, other) if rows[name].cells]
                if len(marks) == 2 and all(marks):
                    assert (change.verdict == "unclear") == bool(marks[0] & marks[1])


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(RUNS, RUNS), min_size=1, max_size=4))
def test_a_comparison_of_two_folders_never_disagrees_with_a_report_of_both_in_one(suite):
    """Random results of a trainer on several datasets: its two sides, or two trainers of one report."""
    pairs, tables = [], []
    for place, sides in enumerate(suite):
        rows = []
        for label, runs in zip("AB", sides, strict=True):
            scores, failed = [run for run in runs if run is not None], runs.count(None)
            cells = {"reverse_kl": Cell.of(dict(enumerate(scores)), False, failed)} if scores else {}
            rows.append(Row("trainer", label, cells, len(scores), len(runs), ("x",) * failed))
        plain = Table("made-up", f"d{place}", BUDGET, protocol("genbench1"), (column("reverse_kl"),))
        tables.append(replace(plain, rows=tuple(rows)))
        before, after = (replace(row, label="gan") for row in rows)
        pairs.append(Match(replace(plain, rows=(before,)), replace(plain, rows=(after,)), before, after))
    changed = {change.pair.dataset: change for change in changes(pairs, ["reverse_kl"])}
    for table in judged(tables):
        finding = table.findings["reverse_kl"].get(frozenset("AB"))
        change = changed.get(table.dataset)
        if finding is None or change is None:
            assert change is None or change.verdict == "untested"
            continue
        assert change.finding.p == finding.p
        assert (change.verdict == "worse", change.verdict == "better") == (finding.beats("A"), finding.beats("B"))


def pairs_of(sides):
    """A pair for each of several trainers, from two lists of their scores."""
    rows = [
        tuple(Row("trainer", f"t{i}", {"reverse_kl": Cell.of(dict(enumerate(of)), False)}, len(of), len(of))
              for i, of in enumerate(side)) for side in sides
    ]  # fmt: skip
    one, other = (Table("made-up", "ring8", BUDGET, protocol("genbench1"), (column("reverse_kl"),), of) for of in rows)
    return [Match(one, other, before, after) for before, after in zip(one.rows, other.rows, strict=True)]


@pytest.mark.parametrize("seeds", [5, 8])
def test_equal_sides_are_seldom_found_to_differ_however_many_are_compared(seeds):
    rng = np.random.default_rng(seeds)
    families = [changes(pairs_of(rng.lognormal(size=(2, 5, seeds)).tolist())) for _ in range(300)]
    found = sum(any(change.verdict in ("worse", "better") for change in family) for family in families)
    # At 5 %, more than 25 of 300 have a probability below one in a hundred.
    assert found <= 25


def test_what_is_called_detectable_is_detected_about_four_times_in_five():
    rng, effect = np.random.default_rng(0), minimal_detectable_effect(1.0, 8)
    found = 0
    for _ in range(400):
        sides = rng.normal(size=(2, 1, 8)) + np.array([50.0, 50.0 + effect])[:, None, None]
        (change,) = changes(pairs_of(sides.tolist()))
        found += change.verdict == "worse"
    assert 0.7 * 400 < found < 0.88 * 400
