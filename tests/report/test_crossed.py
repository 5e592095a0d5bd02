"""Which change moves the number: in grids of trainers alone, each factor's share with all others held."""

import itertools

import made_up
import pytest
from scipy import stats

from genbench.records.store import Store
from genbench.registry import trainers
from genbench.report.crossed import crossed, effects
from genbench.report.frame import frame
from genbench.report.table import tables
from genbench.scoring.protocols import protocol as protocol_named
from genbench.spec import Component
from genbench.suites.literature import ABLATION, CROSSED


def built(*labels):
    return [Component.resolve(trainers, label) for label in labels]


def method(**parameters):
    label = ",".join(f"{name}={value}" for name, value in parameters.items())
    return made_up.component(f"gan[{label}]", parameters=parameters)


@pytest.fixture
def read(tmp_path):
    """The table of some trainers whose modes, of three seeds each, are given by a function of their parameters."""

    def table(methods, modes):
        for of, seed in itertools.product(methods, range(3)):
            value = modes(of.parameters, seed)
            trial = made_up.trial(of, seed=seed)
            if value is None:
                made_up.put(tmp_path, trial, status="diverged", reason="a loss was nan")
            else:
                made_up.put(tmp_path, trial, made_up.scores({"hq": value}))
        return tables(frame(Store(tmp_path), "made-up"), protocol_named("genbench1"))[0]

    return table


GRID = [method(lr=lr, width=width, depth=width // 32) for lr in (0.1, 0.2) for width in (64, 128, 256)]


def test_parameters_that_change_together_are_one_factor():
    assert crossed(GRID) == (("lr",), ("width", "depth"))


@pytest.mark.parametrize("left_out", range(len(GRID)))
def test_a_grid_with_a_gap_is_none(left_out, read):
    some = [of for i, of in enumerate(GRID) if i != left_out]
    assert len(crossed(some)) < 2
    assert effects(read(some, lambda parameters, seed: 0.1 * seed)) == ()


def test_suites_that_cross_are_seen_as_such():
    assert crossed(built(*CROSSED)) == (("batch", "lr", "beta1"), ("latent", "networks", "width", "depth"))
    assert crossed(built(*ABLATION)) == (("relativistic",), ("r1", "r2"))


def test_each_factor_gains_what_it_adds_whatever_the_other_does(read):
    found = effects(read(GRID, lambda of, seed: 3 * of["lr"] + of["width"] / 1000 + seed / 1000))
    gains = {str(effect): effect.gains["hq"].value for effect in found}
    assert gains == pytest.approx(
        {
            "lr 0.1 → 0.2": 0.3,
            "width 64 → 128, depth 2 → 4": 0.064,
            "width 64 → 256, depth 2 → 8": 0.192,
            "width 128 → 256, depth 4 → 8": 0.128,
        }
    )


def test_effects_are_of_what_each_seed_says_where_all_arms_share_them(read):
    """What a seed does to every arm alike cancels, and what it does to one level alike doesn't."""
    small = [method(lr=lr, width=width) for lr in (0.1, 0.2) for width in (64, 128)]
    found = effects(read(small, lambda of, seed: seed / 10 + (seed / 100 if of["width"] == 128 else 0) + of["lr"]))
    lr, width = (effect.gains["hq"] for effect in found)
    assert (lr.low, lr.high) == pytest.approx((0.1, 0.1))
    expected = stats.t.interval(0.95, 2, 0.01, stats.sem([0, 0.01, 0.02]))
    assert (width.low, width.high) == pytest.approx(expected)


def test_a_run_that_failed_takes_its_factors_along(read):
    lost = read(GRID, lambda of, seed: None if (of["width"], seed, of["lr"]) == (64, 1, 0.1) else seed / 10)
    assert [str(effect) for effect in effects(lost)] == ["width 128 → 256, depth 4 → 8"]


def test_trainers_of_different_methods_are_no_grid(read):
    others = [made_up.component(f"wgan[lr={of.parameters['lr']}]", parameters=of.parameters) for of in GRID[:2]]
    assert effects(read([*GRID[2:], *others], lambda of, seed: seed / 10)) == ()
