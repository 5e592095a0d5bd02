"""Cards of trainers: what a dataset's seeds say is called by its name, and nothing is a failure that isn't one."""

import pytest

from genbench.report.method_cards import Ending, MethodCard, Searched

FINE = {"dataset": "ring8", "seeds": 10, "total": 8, "covered": 10, "modes": (8.0, 8.0, 8.0), "hq": 0.95}


@pytest.mark.parametrize(
    ("changes", "failures"),
    [
        ({}, ()),
        ({"covered": 9, "modes": (7.0, 8.0, 8.0)}, ()),
        ({"covered": 8, "modes": (7.0, 8.0, 8.0)}, ("misses modes",)),
        ({"hq": 0.5}, ("leaves samples off the modes",)),
        ({"std_ratio": 0.4}, ("shrinks modes to less than half of their spread",)),
        ({"std_ratio": 2.5}, ("blurs modes to more than twice their spread",)),
        ({"failed": 1}, ("fails to train",)),
        ({"covered": None, "modes": None, "arc_coverage": 0.5}, ("leaves gaps",)),
    ],
    ids=str,
)
def test_failures_are_what_seeds_show(changes, failures):
    assert Ending(**{**FINE, **changes}).failures == failures


def test_a_failure_is_listed_once_with_all_datasets_that_show_it():
    bad = Ending(**{**FINE, "covered": 0, "modes": (1.0, 2.0, 3.0)})
    card = MethodCard(
        trainer="gan",
        searched=None,
        step_cost=1,
        outcomes=(bad, bad.model_copy(update={"dataset": "grid25"})),
        complete=0,
    )
    assert card.failures == {"misses modes": ["ring8", "grid25"]}
    assert str(bad) == "2 (1 to 3) of 8 modes, all in no seed, hq 0.95"


def test_a_search_says_its_ranges():
    searched = Searched(tries=14, over={"lr": (0.1, 0.2, 0.4), "clip": (0.01, 0.1)}, best={"lr": 0.2}, score=0.5)
    assert str(searched) == "14 settings of lr 0.1 to 0.4; clip 0.01 or 0.1. Best: lr=0.2, with 0.50 of modes × hq."
