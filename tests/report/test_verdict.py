"""Which trainers a table tells apart, and what it says of each dataset."""

from dataclasses import replace

import made_up
import pytest

from genbench.protocols.points import GENBENCH1
from genbench.report.model import Cell, Column, Row, Table
from genbench.report.verdict import best_first, comparisons, judged, sentence
from genbench.stats import holm, mean_interval, permutation_test

GOOD, SO_SO, BAD = (0.01, 0.02, 0.015, 0.03, 0.012), (0.2, 0.1, 0.018, 0.15, 0.011), (2.0, 2.5, 2.2, 1.9, 3.0)


def cell(*values):
    return Cell(values, tuple(range(len(values))), mean_interval(values))


def row(label, *values, kind="trainer", column="reverse_kl", failures=()):
    cells = {column: cell(*values)} if values else {}
    return Row(kind, label, cells, len(values), len(values) + len(failures), failures)


def table(*rows, column="reverse_kl"):
    score = made_up.score(column, 1.0)
    columns = (Column(column, score.unit, score.higher_is_better, score.identity),)
    return Table("made-up", "ring8", "steps=40", GENBENCH1, columns, rows)


def letters(found, column="reverse_kl"):
    return {row.label: row.cells[column].letters for row in found.rows if column in row.cells}


def test_trainers_are_compared_by_the_tests_of_stats_with_holms_correction():
    found = table(row("gan", *BAD), row("wgan", *SO_SO), row("wgan-gp", *GOOD))
    compared = comparisons(found, found.columns[0])
    tests = [
        permutation_test(dict(enumerate(a)), dict(enumerate(b))) for a, b in ((BAD, SO_SO), (BAD, GOOD), (SO_SO, GOOD))
    ]
    assert [(c.one, c.other) for c in compared] == [("gan", "wgan"), ("gan", "wgan-gp"), ("wgan", "wgan-gp")]
    assert [c.test for c in compared] == tests
    assert [c.p for c in compared] == holm([test.p for test in tests])


def test_letters_mark_who_differs_best_first_and_controls_have_none():
    found = judged(
        table(row("gan", *BAD), row("wgan", *SO_SO), row("wgan-gp", *GOOD), row("oracle", *GOOD, kind="control"))
    )
    assert letters(found) == {"gan": "b", "wgan": "a", "wgan-gp": "a", "oracle": ""}
    assert found.notes == ()


def test_without_seeds_enough_there_are_no_letters_and_the_table_says_why():
    found = judged(table(row("gan", *BAD[:3]), row("wgan-gp", *GOOD)))
    assert letters(found) == {"gan": "", "wgan-gp": ""}
    assert found.notes == ("No differences are marked: with fewer than 4 seeds of a trainer, no test could find any.",)


def test_trainer_with_too_few_seeds_costs_the_others_nothing():
    found = judged(table(row("gan", *BAD), row("wgan", *SO_SO[:3]), row("wgan-gp", *GOOD)))
    assert letters(found) == {"gan": "b", "wgan": "", "wgan-gp": "a"}


def test_one_trainer_alone_needs_no_note_nor_does_a_table_without_columns():
    assert judged(table(row("gan", *BAD[:2]))).notes == ()
    assert judged(replace(table(row("gan", *BAD[:2]), row("wgan", *BAD[:2])), columns=())).notes == ()


@pytest.mark.parametrize(
    ("column", "order"),
    [("reverse_kl", ["low", "one", "high"]), ("hq", ["high", "one", "low"]), ("std_ratio", ["one", "low", "high"])],
)
def test_best_is_lowest_highest_or_closest_to_the_oracle(column, order):
    rows = [row(*of, column=column) for of in (("high", 3.0), ("low", 0.1), ("one", 1.1))]
    found = table(*rows, row("oracle", 1.0, kind="control", column=column), column=column)
    assert [row.label for row in best_first(found, found.columns[0])] == order


def test_sentence_says_who_is_best_and_whom_it_beats():
    assert sentence(table(row("gan", *BAD), row("wgan", *SO_SO), row("wgan-gp", *GOOD))) == (
        "ring8: wgan-gp has the best reverse_kl, 0.0174 (95 % interval 0.00748 to 0.0273): better than gan (p ≤ 0.024);"
        " not to be told from wgan (p ≥ 0.11)."
    )


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([], "ring8: nothing to judge yet."),
        ([row("gan", kind="trainer")], "ring8: nothing to judge yet."),
        ([row("gan", 0.5)], "ring8: gan has the best reverse_kl, 0.5; there is no other trainer to compare with."),
        (
            [row("gan", 0.5), row("wgan", 0.4, failures=("a", "b"))],
            "ring8: wgan has the best reverse_kl, 0.4: not tested against gan: fewer than 4 seeds. 2 trials failed.",
        ),
    ],
)  # fmt: skip
def test_sentence_says_what_cannot_be_said(rows, said):
    assert sentence(table(*rows)) == said


def test_verdict_goes_by_the_next_column_where_a_dataset_lacks_the_first():
    found = table(row("gan", 0.5, column="w2"), column="w2")
    assert "best w2" in sentence(found)
    assert sentence(replace(found, columns=())) == "ring8: nothing to judge yet."


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ([0.0005], "mine has reverse_kl 0.0005, inside the null band (0.0001 to 0.0008)."),
        ([0.5], "mine has reverse_kl 0.5, outside the null band (0.0001 to 0.0008)."),
        ([], "nothing to judge yet."),
    ],
)
def test_samples_from_elsewhere_are_held_against_the_null_band(values, said):
    band = Row("null band", "null band", {"reverse_kl": Cell(band=(0.0001, 0.0008))})
    assert sentence(table(row("mine", *values, kind="external"), band)) == f"ring8: {said}"


def test_samples_from_elsewhere_are_judged_without_a_band_too():
    assert sentence(table(row("mine", 0.5, kind="external"))) == "ring8: mine has reverse_kl 0.5."


def test_samples_from_elsewhere_are_never_best():
    said = sentence(table(row("gan", 0.5), row("mine", 0.1, kind="external")))
    assert said == "ring8: gan has the best reverse_kl, 0.5; there is no other trainer to compare with."


def test_samples_from_elsewhere_are_no_oracle_whatever_their_name():
    rows = [row(*of, column="std_ratio") for of in (("high", 3.0), ("one", 1.1))]
    truth = row("oracle", 1.0, kind="control", column="std_ratio")
    found = table(*rows, row("oracle", 3.0, kind="external", column="std_ratio"), truth, column="std_ratio")
    assert [row.label for row in best_first(found, found.columns[0])] == ["one", "high"]
