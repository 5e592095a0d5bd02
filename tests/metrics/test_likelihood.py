import math

import numpy as np
import pytest
from reference import likelihood_twin

from genbench.datasets.base import Dataset
from genbench.errors import Skip
from genbench.metrics.truth import Truth
from genbench.registry import metrics


@pytest.mark.parametrize("target", ["ring8", "grid25", "ring[modes=3,std=0.2]"])
@pytest.mark.parametrize("spread", [0.0, 1.0, 4.0])
def test_agrees_with_the_twin_on_mixtures(target, spread, truth, score, draw):
    about = truth(target)
    centres, std, _ = about.modes
    samples = draw(about, 200, spread=spread)
    expected = likelihood_twin.cross_entropy(
        samples.double().tolist(), lambda x: likelihood_twin.mixture_log_prob(x, centres.tolist(), std)
    )
    assert score("cross_entropy", about, samples) == pytest.approx(expected, rel=1e-7)


@pytest.mark.parametrize("changes", [{}, {"keep": 0.5}, {"spread": 2.0}])
def test_agrees_with_the_twin_on_the_swiss_roll(changes, truth, score, draw):
    samples = draw(truth("swissroll"), 200, **changes)
    expected = likelihood_twin.cross_entropy(
        samples.double().tolist(), lambda x: likelihood_twin.swissroll_log_prob(x, 0.25, points=20_000)
    )
    assert score("cross_entropy", truth("swissroll"), samples) == pytest.approx(expected, abs=5e-4)


@pytest.mark.parametrize("target", ["ring8", "grid25", "grid100"])
def test_the_truth_scores_its_entropy(target, truth, score, draw):
    """Modes far apart: H = ln M + ln(2πe σ²)."""
    n = 20_000
    centres, std, _ = truth(target).modes
    entropy = math.log(len(centres)) + math.log(2 * math.pi * math.e * std**2)
    assert score("cross_entropy", truth(target), draw(truth(target), n)) == pytest.approx(entropy, abs=4 / math.sqrt(n))


def test_is_blind_to_dropped_modes_and_lower_where_modes_shrink(truth, score, draw):
    about = truth("ring8")
    whole = score("cross_entropy", about, draw(about, 20_000))
    assert score("cross_entropy", about, draw(about, 20_000, keep=0.5)) == pytest.approx(whole, abs=0.05)
    assert score("cross_entropy", about, draw(about, 20_000, spread=0.5)) < whole - 0.5


class Unknown(Dataset):
    """A dataset without a density."""

    event_shape = (2,)

    def sample(self, n, rng):
        return np.zeros((n, 2))


@pytest.mark.parametrize("reference", ["cross_entropy", "modes", "hq", "jsd", "curve_distance", "arc_coverage"])
def test_a_dataset_of_unknown_density_is_skipped(reference):
    with pytest.raises(Skip, match="density is unknown"):
        metrics.build(reference, Truth(Unknown()))
