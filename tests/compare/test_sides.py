"""Which rows are held together, and which sides are refused."""

import made_up
import pytest

from genbench.compare.sides import two_folders, two_trainers
from genbench.errors import GenbenchError, UnknownName

VALUES = [0.1, 0.2, 0.3, 0.25]


@pytest.fixture
def compare(folders):
    return lambda *options, **named: two_folders(
        folders.store("A"), folders.store("B"), folders.suites, *options, **named
    )


def names(sides):
    return [(pair.dataset, pair.trainer, str(pair.table.budget)) for pair in sides.pairs]


def test_each_trainer_is_held_against_itself_on_each_dataset(folders, compare):
    for side in ("A", "B"):
        for trainer in ("gan", "wgan"):
            for dataset in ("grid25", "ring8"):
                folders.put(side, trainer, dataset=dataset, reverse_kl=VALUES)
    sides = compare()
    assert names(sides) == [(d, t, "steps=40") for d in ("grid25", "ring8") for t in ("gan", "wgan")]
    assert (sides.failed, sides.notes) == ([], [])
    assert not any(pair.same_table for pair in sides.pairs)
    assert names(compare("wgan", "ring8")) == [("ring8", "wgan", "steps=40")]


def test_what_one_side_alone_has_is_named(folders, compare):
    folders.put("A", "gan", reverse_kl=VALUES)
    folders.put("B", "gan", reverse_kl=VALUES)
    folders.put("A", "wgan", reverse_kl=VALUES)
    folders.put("B", "gan", dataset="grid25", reverse_kl=VALUES)
    assert compare().notes == ["In A alone: wgan on ring8, steps=40.", "In B alone: gan on grid25, steps=40."]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"n": 500}, "n: 10000 in A, 500 in B"),
        ({"version": 2}, "version: 1 in A, 2 in B"),
        ({"protocol_version": 2}, "protocol_version: 1 in A, 2 in B"),
        ({"extractor": "mnist-cnn-1"}, "extractor: None in A, mnist-cnn-1 in B"),
        ({"dtype": "float16"}, "dtype: float32 in A, float16 in B"),
        ({"parameters": {"k": 2.0}}, "parameters: {'k': 3.0} in A, {'k': 2.0} in B"),
    ],
)
def test_refuses_scores_of_another_identity_and_names_the_field(change, field, folders, compare):
    folders.put("A", reverse_kl=VALUES)
    folders.put("B", reverse_kl=VALUES, identity=change)
    with pytest.raises(GenbenchError) as refused:
        compare()
    assert f"ring8, reverse_kl: {field}" in str(refused.value)


def test_refuses_other_budgets(folders, compare):
    folders.put("A", reverse_kl=VALUES)
    folders.put("B", budget="steps=80", reverse_kl=VALUES)
    with pytest.raises(GenbenchError, match="ring8: budget: steps=40 in A, steps=80 in B"):
        compare()


def test_compares_under_the_budget_that_both_have(folders, compare):
    for side, budget in (("A", "steps=40"), ("B", "steps=40"), ("B", "steps=80")):
        folders.put(side, budget=budget, reverse_kl=VALUES)
    sides = compare()
    assert names(sides) == [("ring8", "gan", "steps=40")]
    assert sides.notes == ["In B alone: gan on ring8, steps=80."]


def test_refuses_other_data_under_the_same_name(folders, compare):
    folders.put("A", reverse_kl=VALUES)
    folders.put("B", dataset=made_up.component("ring8", version=2), reverse_kl=VALUES)
    with pytest.raises(GenbenchError, match="ring8: version 1 in A, version 2 in B"):
        compare()


def test_another_version_of_a_trainer_is_what_one_compares(folders, compare):
    folders.put("A", reverse_kl=VALUES)
    folders.put("B", made_up.component("gan", version=2), reverse_kl=VALUES)
    sides = compare()
    assert names(sides) == [("ring8", "gan", "steps=40")]
    assert sides.notes == ["gan: version 1 in A, version 2 in B"]


def test_one_of_several_versions_goes_with_the_only_one_of_the_second_side(folders, compare):
    """Where the second side has several, what the first has nothing like is said not to have been compared."""
    newer = made_up.component("gan", version=2)
    for side, trainers in (("A", ("gan", newer)), ("B", (newer,))):
        for trainer in trainers:
            folders.put(side, trainer, reverse_kl=VALUES)
    sides = compare()
    assert names(sides) == [("ring8", "gan against gan (version 2)", "steps=40")]
    assert sides.lacking == ["gan (version 1) on ring8, steps=40"]
    assert names(compare("gan")) == names(sides)
    turned = two_folders(folders.store("B"), folders.store("A"), folders.suites)
    assert names(turned) == [("ring8", "gan (version 2) against gan", "steps=40")]
    assert (turned.lacking, turned.unlike) == ([], ["gan (version 1) on ring8, steps=40"])


def test_what_is_made_alike_is_compared_whatever_else_a_side_has_under_its_label(folders, compare):
    """Names say what differs within a side: a leftover elsewhere, or a subset, must not part or mix the two."""
    newer, last = made_up.component("gan", version=2), {"engine": {"channels_last": True}}
    for side in ("A", "B"):
        folders.put(side, reverse_kl=VALUES)
        for seed in range(20, 24):
            made_up.put(
                folders.path(side), made_up.trial("wgan", seed=seed), made_up.scores({"hq": 0.5}), provenance=last
            )
    folders.put("B", newer, dataset="grid25", reverse_kl=VALUES)
    folders.put("A", "wgan", hq=VALUES)
    sides = compare()
    assert names(sides) == [
        ("ring8", "gan (version 1) against gan", "steps=40"),
        ("ring8", "wgan against wgan (channels last)", "steps=40"),
    ]
    assert sides.lacking == ["wgan (channels first) on ring8, steps=40"]


def test_a_dataset_is_asked_for_by_its_label_or_by_its_tables_name(folders, compare):
    """Where a side has other data under one label as well, both sides' tables are found by the label."""
    for data in (made_up.component("ring8"), made_up.component("ring8", version=2)):
        folders.put("A", dataset=data, reverse_kl=VALUES)
    folders.put("A", dataset="grid25", reverse_kl=VALUES)
    folders.put("B", reverse_kl=VALUES)
    for asked in ("ring8", "ring8 (version 1)"):
        sides = compare(dataset=asked)
        assert [pair.dataset for pair in sides.pairs] == ["ring8 (version 1)"], asked


def test_failures_of_the_second_side_alone_are_found(folders, compare):
    for side in ("A", "B"):
        folders.put(side, reverse_kl=VALUES)
        folders.fail(side, seed=7)
    folders.fail("A", seed=8)
    folders.put("A", seeds=[9], reverse_kl=[0.5])
    folders.fail("B", seed=9, status="diverged", reason="nan")
    folders.fail("B", seed=11)  # nobody knows what that seed would have done on the first side
    (failed,) = compare().failed
    assert str(failed) == "gan on ring8, seed 9: diverged: nan"


def test_trainer_that_always_fails_on_the_second_side_is_compared(folders, compare):
    folders.put("A", reverse_kl=VALUES)
    folders.put("B", "wgan", reverse_kl=VALUES)
    folders.put("A", "wgan", reverse_kl=VALUES)
    for seed in range(4):
        folders.fail("B", seed=seed)
    sides = compare()
    assert ("ring8", "gan", "steps=40") in names(sides)
    assert [failed.seed for failed in sides.failed] == [0, 1, 2, 3]


def test_truth_is_the_oracles_median_of_the_first_side_that_has_controls(folders, compare):
    def draws(side, *values):
        drawn = {"oracle": [made_up.scores({"std_ratio": value}) for value in values]}
        made_up.put_controls(folders.path(side), made_up.component("ring8"), drawn)

    def truth():
        (pair,) = compare().pairs
        (column,) = pair.columns(["std_ratio"])
        return pair.truth(column)

    for side in ("A", "B"):
        folders.put(side, std_ratio=VALUES)
    assert truth() is None
    draws("B", 2.0, 3.0)
    assert truth() == 2.5
    draws("A", 1.0, 1.0, 7.0)
    assert truth() == 1.0


def test_refuses_sides_with_nothing_in_common(folders, compare):
    folders.put("A", "gan", reverse_kl=VALUES)
    folders.put("B", "wgan", reverse_kl=VALUES)
    with pytest.raises(GenbenchError, match="no trainer, dataset and budget in common") as refused:
        compare()
    assert "In A alone: gan on ring8" in str(refused.value)


def test_scores_that_a_table_leaves_out_are_named(folders, compare):
    for side in ("A", "B"):
        folders.put(side, reverse_kl=VALUES)
    folders.put("B", seeds=[9], reverse_kl=[0.1], identity={"n": 500})
    assert any("B, ring8: Finished and without reverse_kl, which" in note for note in compare().notes)


def test_finished_runs_that_lack_a_score_are_named(folders, compare):
    folders.put("A", reverse_kl=VALUES, hq=VALUES)
    folders.put("B", reverse_kl=VALUES[:3], hq=VALUES[:3])
    folders.put("B", seeds=[3], reverse_kl=VALUES[3:])
    (note,) = compare().notes
    assert note.startswith(
        "B, ring8: Finished and without hq, which only training again gives them (--rerun all): gan, seed 3"
    )


def test_two_trainers_of_a_folder_are_held_together(folders):
    folders.put("A", "gan", reverse_kl=VALUES)
    folders.put("A", "wgan", seeds=[4, 5], reverse_kl=[1.0, 2.0])
    folders.fail("A", "gan", seed=5)
    sides = two_trainers(folders.store("A"), folders.suites, "gan", "wgan")
    (pair,) = sides.pairs
    assert pair.trainer == "gan against wgan"
    assert pair.same_table
    assert (pair.before.label, pair.after.label) == ("wgan", "gan")
    assert [str(failed) for failed in sides.failed] == ["gan on ring8, seed 5: crashed: no luck"]


def test_refuses_a_trainer_without_results(folders):
    folders.put("A", "gan", reverse_kl=VALUES)
    with pytest.raises(UnknownName, match="Did you mean gan"):
        two_trainers(folders.store("A"), folders.suites, "gam", "gan")
