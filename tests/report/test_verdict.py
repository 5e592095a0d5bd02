"""Which trainers a suite's tables tell apart, and what is said of each dataset."""

import math
from dataclasses import replace

import made_up
import numpy as np
import pytest

from genbench.report.model import Cell, Column, Row, Table
from genbench.report.sentence import sentence
from genbench.report.verdict import best_first, judged, not_told_from_best
from genbench.scoring.protocols import protocol as protocol_named
from genbench.spec import Budget
from genbench.stats.closure import corrected

GOOD, SO_SO, BAD = (0.01, 0.02, 0.015, 0.03, 0.012), (0.2, 0.1, 0.018, 0.15, 0.011), (2.0, 2.5, 2.2, 1.9, 3.0)
TWO_FAILED = ("seed 5: diverged: nan", "seed 6: crashed: no")


def row(label, *values, kind="trainer", column="reverse_kl", failures=()):
    higher, lost = made_up.score(column, 1.0).higher_is_better, len(failures)
    cells = {column: Cell.of(dict(enumerate(values)), higher, lost)} if values else {}
    return Row(kind, label, cells, len(values), len(values) + lost, failures)


def band(low, high, column="reverse_kl"):
    return Row("null band", "null band", {column: Cell(band=(low, high))})


def table(*rows, column="reverse_kl", dataset="ring8", bounds=(0, None)):
    score = made_up.score(column, 1.0)
    columns = (Column(column, score.unit, score.higher_is_better, score.identity, bounds),)
    return Table("made-up", dataset, Budget.parse("steps=40"), protocol_named("genbench1"), columns, rows)


def judge(*rows, **of):
    return judged([table(*rows, **of)])[0]


def letters(found, column="reverse_kl"):
    return {row.label: row.cells[column].letters for row in found.rows if column in row.cells}


def p_of(found, one, other, column="reverse_kl"):
    return found.findings[column][frozenset((one, other))].p


THREE = (row("gan", *BAD), row("wgan", *SO_SO), row("wgan-gp", *GOOD))


def test_trainers_are_compared_by_the_closed_tests_of_stats():
    found = judge(*THREE)
    logs = {name: np.log(of).tolist() for name, of in (("gan", BAD), ("wgan", SO_SO), ("wgan-gp", GOOD))}
    assert {pair: finding.p for pair, finding in found.findings["reverse_kl"].items()} == corrected([logs])[0]


def test_one_family_are_all_the_tables_of_a_suite():
    logs = {name: np.log(of).tolist() for name, of in (("gan", BAD), ("wgan", SO_SO), ("wgan-gp", GOOD))}
    equal = {name: np.log(GOOD).tolist() for name in logs}
    both = judged([table(*THREE), table(*(row(name, *GOOD) for name in logs), dataset="grid25")])
    for found, wanted in zip(both, corrected([logs, equal]), strict=True):
        assert {pair: finding.p for pair, finding in found.findings["reverse_kl"].items()} == wanted
    assert p_of(both[0], "gan", "wgan-gp") > p_of(judge(*THREE), "gan", "wgan-gp")


def test_letters_mark_who_differs_best_first_and_controls_have_none():
    found = judge(*THREE, row("oracle", *GOOD, kind="control"))
    assert letters(found) == {"gan": "b", "wgan": "a", "wgan-gp": "a", "oracle": ""}
    assert found.notes == ()
    assert not_told_from_best(found, found.columns[0]) == {"wgan", "wgan-gp"}


@pytest.mark.parametrize("seeds", range(4, 21))
@pytest.mark.parametrize("trainers", range(3, 7))
def test_a_further_seed_or_trainer_removes_no_difference(trainers, seeds):
    """Six seeds once lost what five had found, and five trainers had nothing to be found up to eight."""
    found = judge(*(row(f"t{i}", *(10.0**i * (1 + s / seeds) for s in range(seeds))) for i in range(trainers)))
    assert all(finding.differ for finding in found.findings["reverse_kl"].values())
    assert list(letters(found).values()) == list("abcdef"[:trainers])


def test_without_seeds_enough_there_are_no_letters_and_the_table_says_how_many_would_do():
    found = judge(row("gan", *BAD[:3]), row("wgan-gp", *GOOD[:3]))
    assert letters(found) == {"gan": "", "wgan-gp": ""}
    assert found.notes == (
        "No differences are marked: they could not have been told with these seeds; "
        "it takes 4 of each trainer or more.",
    )


def test_as_many_seeds_as_it_says_would_have_done():
    tables = [table(*(row(f"t{i}", *BAD[:3]) for i in range(3)), dataset=name) for name in ("ring8", "grid25")]
    (first, _) = judged(tables)
    n = first.seeds_needed
    apart = table(
        row("t0", *(0.01 + s / 1000 for s in range(n))), *(row(f"t{i}", *(2.0 + s for s in range(n))) for i in (1, 2))
    )
    same = table(*(row(f"t{i}", *(2.0 + s for s in range(n))) for i in range(3)), dataset="grid25")
    assert p_of(judged([apart, same])[0], "t0", "t1") <= 0.05


def test_trainer_with_too_few_seeds_costs_the_others_nothing():
    found = judge(row("gan", *BAD), row("wgan", *SO_SO[:2]), row("wgan-gp", *GOOD))
    assert letters(found) == {"gan": "b", "wgan": "", "wgan-gp": "a"}


def test_one_trainer_alone_needs_no_note_nor_does_a_table_without_columns():
    assert judge(row("gan", *BAD[:2])).notes == ()
    (without,) = judged([replace(table(row("gan", *BAD[:2]), row("wgan", *BAD[:2])), columns=())])
    assert without.notes == ()


@pytest.mark.parametrize(
    ("column", "order"),
    [("reverse_kl", ["low", "one", "high"]), ("hq", ["high", "one", "low"]), ("std_ratio", ["one", "low", "high"])],
)
def test_best_is_lowest_highest_or_closest_to_the_oracle(column, order):
    rows = [row(*of, column=column) for of in (("high", 3.0), ("low", 0.1), ("one", 1.1))]
    found = table(*rows, row("oracle", 1.0, kind="control", column=column), column=column)
    assert [row.label for row in best_first(found, found.columns[0])] == order


def test_best_is_who_beats_the_others_most_often_though_its_median_is_worse():
    found = judge(row("often", 2.0, 2.0, 4.0, 4.0, 4.0), row("median", 3.0, 3.0, 3.0, 9.0, 9.0))
    assert [each.label for each in best_first(found, found.columns[0])] == ["often", "median"]
    assert sentence(found).startswith(
        "ring8: often has the best reverse_kl, median 4 (2 to 4), as its runs beat those of others most often:"
    )


def test_a_metric_without_a_better_way_or_an_oracle_tells_nobody_apart():
    found = judge(*(row(*of, column="std_ratio") for of in (("one", *GOOD), ("other", *BAD))), column="std_ratio")
    assert not found.findings["std_ratio"]


def test_best_is_judged_by_all_the_runs_that_its_test_sees():
    """Twenty seeds against six, which are shared: whoever loses on the shared ones and wins on all is the better."""
    many = row("many", *(2.0, 2.1, 2.2, 2.3, 2.4, 2.5), *(0.01 + s / 1000 for s in range(14)))
    few = row("few", *(1.0, 1.1, 1.2, 1.3, 1.4, 1.5))
    found = judge(many, few)
    finding = found.findings["reverse_kl"][frozenset(("many", "few"))]
    assert finding.odds == 14 / 20
    assert sentence(found).startswith("ring8: many has the best reverse_kl, median 0.01")
    assert finding.p == corrected([{name: np.log(r.cells["reverse_kl"].values).tolist() for name, r in
                                    (("many", many), ("few", few))}])[0][frozenset(("many", "few"))]  # fmt: skip


def test_failures_are_worse_than_any_score():
    """Of two equal trainers one loses its worst runs: it must not be called the better one."""
    scores = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8)
    found = judge(row("whole", *scores), row("dead", *scores[:4], failures=("x",) * 4))
    finding = found.findings["reverse_kl"][frozenset(("whole", "dead"))]
    assert best_first(found, found.columns[0])[0].label == "whole"
    assert finding.odds > 0.5
    assert found.rows[1].cells["reverse_kl"].interval.high == math.inf


def test_survivors_do_not_make_a_winner():
    """Four of eight runs are dead and the rest is the best there is: no claim, and the dead are named."""
    found = judge(
        row("half-dead", 0.010, 0.011, 0.012, 0.013, failures=("x",) * 4),
        row("whole", *(0.5 + s / 10 for s in range(8))),
    )
    finding = found.findings["reverse_kl"][frozenset(("half-dead", "whole"))]
    assert finding.odds == 0.5
    assert not finding.differ
    assert sentence(found).endswith("Failed, and counted as worse than any score: 4 of half-dead.")


def test_trainer_all_of_whose_runs_failed_is_told_from_those_that_finished():
    found = judge(row("gan", *GOOD), row("wgan", failures=("x",) * 5))
    assert found.findings["reverse_kl"][frozenset(("gan", "wgan"))].beats("gan")
    assert sentence(found) == (
        "ring8: gan has the best reverse_kl, median 0.015 (0.01 to 0.03): better than wgan (p ≤ 0.0079). "
        "Failed, and counted as worse than any score: 5 of wgan."
    )


def test_the_best_row_says_that_it_has_failures():
    found = judge(row("gan", *GOOD, failures=TWO_FAILED), row("wgan", *BAD, *BAD))
    assert "gan has the best reverse_kl, median 0.02 (0.01 to failed), although 2 of its 7 trials failed" in sentence(
        found
    )


@pytest.mark.parametrize("control", ["noise", "gaussian", "half-dropped"])
@pytest.mark.parametrize(("score", "no_worse"), [(0.0149, True), (0.015, True), (0.016, False)])
def test_sentence_says_where_what_learnt_nothing_is_no_worse(control, score, no_worse):
    found = judge(row("gan", *GOOD), row("wgan", *BAD), row(control, score, kind="control"))
    said = f" But {control} scores {score:.3g} and learnt nothing: reverse_kl alone doesn't tell who is good here."
    assert (said in sentence(found)) == (no_worse and control != "half-dropped")


@pytest.mark.parametrize(("failed", "undefined", "worst"), [(0, 2, "none"), (1, 1, "failed"), (2, 0, "failed")])
def test_an_end_without_a_value_says_whether_runs_failed(failed, undefined, worst):
    cell = Cell.of(dict(enumerate(GOOD)), False, failed, undefined)
    best = Row("trainer", "gan", {"reverse_kl": cell}, 5 + undefined, 7, TWO_FAILED[:failed])
    said = sentence(judge(best, row("wgan", *BAD, *BAD)))
    assert f"median 0.02 (0.01 to {worst})" in said
    assert [f"{failed} of its 7 trials failed" in said, f"{undefined} of its 7 samples left" in said] == [
        failed > 0,
        undefined > 0,
    ]


def test_sentence_says_who_is_best_and_whom_it_beats():
    assert sentence(judge(*THREE)) == (
        "ring8: wgan-gp has the best reverse_kl, median 0.015 (0.01 to 0.03): better than gan (p ≤ 0.0079); "
        "not to be told from wgan (p ≥ 0.22)."
    )


def test_sentence_says_where_the_column_cannot_tell_the_best_from_the_truth():
    inside, outside = (judge(*THREE, band(0.001, high)) for high in (0.02, 0.012))
    assert sentence(inside).endswith(". reverse_kl can't tell it from the truth (null band 0.001 to 0.02).")
    assert "can't tell" not in sentence(outside)


@pytest.mark.parametrize(
    ("values", "failures", "told"),
    [
        ((0.001, 0.002, 0.003, 0.004, 0.002), (), False),
        ((0.001, 0.002, 0.003, 0.004, 7.0), (), False),  # of five draws of the truth one lies outside in 23 %
        ((0.001, 0.002, 0.003, 7.0, 8.0), (), True),
        ((0.001, 0.002, 0.003), TWO_FAILED, True),
        ((7.0,), (), True),
    ],
)
def test_the_truth_is_told_by_runs_outside_its_band_and_not_by_the_median_alone(values, failures, told):
    found = judge(row("gan", *values, failures=failures), band(0.0, 0.005))
    assert ("can't tell it from the truth" in sentence(found)) != told


def test_sentence_names_runs_that_left_nothing_to_measure():
    cell = Cell.of({0: 0.1, 1: 0.12}, False, undefined=1)
    found = judge(Row("trainer", "gan", {"reverse_kl": cell}, 3, 3), row("wgan", 0.2, 0.3, 0.4))
    assert sentence(found) == (
        "ring8: gan has the best reverse_kl, median 0.12, although 1 of its 3 samples left nothing to measure: "
        "could not have been told from wgan with these seeds; it takes 4 of each trainer or more. "
        "Nothing to measure, and counted likewise: 1 of gan."
    )


def test_sentence_says_by_what_the_best_is_best_where_a_median_says_otherwise():
    often = (0.1, 0.2, 5.0, 5.1, 5.2)
    found = judge(row("gan", *often), row("wgan", 4.0, 4.1, 4.9, 6.0, 7.0), row("mlp", *(8.0 + i for i in range(5))))
    first, second, _ = best_first(found, found.columns[0])
    assert ("as its runs beat those of others most often" in sentence(found)) == (
        first.cells["reverse_kl"].interval.value > second.cells["reverse_kl"].interval.value
    )
    assert "most often" not in sentence(judge(*THREE))


def test_a_trainer_without_the_column_is_no_want_of_seeds():
    found = judge(row("gan", *GOOD), row("wgan", *BAD), replace(row("mlp"), finished=5, planned=5))
    assert "; there is no reverse_kl to hold against it of mlp." in sentence(found)
    assert "of each trainer or more" not in sentence(found)


@pytest.mark.parametrize("nine", [5, 4])
def test_where_more_trainers_than_can_be_told_apart_have_no_letters(nine):
    rows = [row(f"t{i}", *(10.0**i * (1 + s / nine) for s in range(nine))) for i in range(9)]
    found = judge(*rows)
    assert set(letters(found).values()) == {""}
    assert found.notes == (
        "No differences are marked: they could not have been told with these seeds; "
        "it takes 7 of each trainer or more.",
    )
    assert set(letters(judge(*rows[:8])).values()) == set("abcdefgh")


def test_a_score_of_zero_changes_nothing_for_the_others():
    """It once switched the whole column from logarithms to plain scores, and p from .036 to .34."""
    one, other = (0.38, 0.0039, 0.0756, 0.0282, 0.0317), (0.806, 0.1327, 0.793, 0.421, 27.74)
    ps = [
        p_of(judge(row("a", *one), row("b", *other), row("c", 1.25, 0.703, 0.755, 0.513, least)), "a", "b")
        for least in (0.348, 1e-9, 0.0)
    ]
    assert ps[0] <= 0.05
    assert max(ps) < 0.1


def test_scores_equal_but_for_rounding_are_equal_on_the_scale_of_tests():
    third, near = 1.0, 1.0 + 2e-16 * 3
    found = judge(row("a", 0.5, third, third, 2.0, 3.0), row("b", 0.5, near, near, 2.0, 3.0))
    assert p_of(found, "a", "b") == 1


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 0, 1), (1, 2, 0), (2, 1, 0)])
def test_the_rows_order_decides_nothing(order):
    rng = np.random.default_rng(4)
    rows = [row(f"t{i}", *rng.lognormal(i / 2, 1, 10)) for i in range(3)]
    found, wanted = judge(*(rows[i] for i in order)), judge(*rows)
    for pair, finding in wanted.findings["reverse_kl"].items():
        assert found.findings["reverse_kl"][pair].p == pytest.approx(finding.p, rel=1e-9)


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([], "ring8: nothing to judge yet."),
        ([row("gan", kind="trainer")], "ring8: nothing to judge yet."),
        ([row("gan", 0.5)], "ring8: gan has the best reverse_kl, 0.5; there is no other trainer to compare with."),
        (
            [row("gan", 0.5, 0.6), row("wgan", 0.4, failures=("a", "b"))],
            "ring8: gan has the best reverse_kl, 0.5 and 0.6: could not have been told from wgan with these "
            "seeds; it takes 4 of each trainer or more. Failed, and counted as worse than any score: 2 of wgan.",
        ),
        (
            [row("gan", failures=("a",)), row("wgan", failures=("b",))],
            "ring8: nothing to judge yet. Failed, and counted as worse than any score: 1 of gan and 1 of wgan.",
        ),
    ],
)  # fmt: skip
def test_sentence_says_what_cannot_be_said(rows, said):
    assert sentence(judge(*rows)) == said


def test_verdict_goes_by_the_next_column_where_a_dataset_lacks_the_first():
    protocol = replace(protocol_named("genbench1"), deciding=("reverse_kl", "hq"))
    assert "has the best hq" in sentence(replace(judge(row("gan", 0.5, column="hq"), column="hq"), protocol=protocol))


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ([0.0005], "mine has reverse_kl 0.0005, inside the null band (0.0001 to 0.0008)."),
        ([0.5], "mine has reverse_kl 0.5, outside the null band (0.0001 to 0.0008)."),
        ([], "nothing to judge yet."),
    ],
)
def test_samples_from_elsewhere_are_held_against_the_null_band(values, said):
    found = judge(row("mine", *values, kind="external"), band(0.0001, 0.0008))
    assert sentence(found) == f"ring8: {said}"


def test_samples_from_elsewhere_are_judged_without_a_band_too():
    assert sentence(judge(row("mine", 0.5, kind="external"))) == "ring8: mine has reverse_kl 0.5."


def test_samples_from_elsewhere_are_never_best():
    said = sentence(judge(row("gan", 0.5), row("mine", 0.1, kind="external")))
    assert said == "ring8: gan has the best reverse_kl, 0.5; there is no other trainer to compare with."


def test_samples_from_elsewhere_are_no_oracle_whatever_their_name():
    rows = [row(*of, column="std_ratio") for of in (("high", 3.0), ("one", 1.1))]
    truth = row("oracle", 1.0, kind="control", column="std_ratio")
    found = table(*rows, row("oracle", 3.0, kind="external", column="std_ratio"), truth, column="std_ratio")
    assert [row.label for row in best_first(found, found.columns[0])] == ["one", "high"]


def test_many_others_are_counted_and_few_are_named():
    apart = [row(f"t{i}", *(100 * i + value for value in np.linspace(0, 1, 12))) for i in range(9)]
    near = row("near", *(0.01 + value for value in np.linspace(0, 1, 12)))
    said = sentence(judge(*apart, near))
    assert "better than 8 of the 9 others (p" in said
    assert "not to be told from near (p" in said
    assert "better than all 8 others (p" in sentence(judge(*apart))
