import numpy as np
import pytest
import torch
from reference import kernel_twin
from sklearn.metrics.pairwise import rbf_kernel

from genbench import distances
from genbench.metrics.kernel import mean_kernel, mmd
from genbench.metrics.observed import Observed

TARGETS = ("ring8", "grid25", "swissroll")
BANDWIDTHS = (0.02, 0.05, 0.1, 0.2, 0.5, 1)


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("changes", [{}, {"keep": 0.5}, {"spread": 5.0}])
def test_agrees_with_the_twin(target, changes, truth, score, draw):
    about = truth(target)
    samples = draw(about, 40, **changes)
    expected = kernel_twin.mmd(samples.double().tolist(), about.reference(30).double().tolist(), BANDWIDTHS)
    assert score("mmd[n=30]", about, samples) == pytest.approx(expected, rel=1e-9, abs=1e-12)


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("keep", [1.0, 0.5])
def test_agrees_with_sklearns_kernels(target, keep, truth, score, draw):
    about = truth(target)
    x, y = draw(about, 300, keep=keep), about.reference(200)

    def mean(a, b, apart):
        kernels = sum(rbf_kernel(a.double(), b.double(), gamma=1 / (2 * h * h)) for h in BANDWIDTHS) / len(BANDWIDTHS)
        return kernels[~np.eye(len(a), dtype=bool)].mean() if apart else kernels.mean()

    expected = mean(x, x, True) + mean(y, y, True) - 2 * mean(x, y, False)
    assert score("mmd[n=200]", about, x) == pytest.approx(expected, rel=1e-7, abs=1e-10)


def test_is_unbiased(truth):
    """Over draws of both samples, the mean is 0 within its error; a biased estimate would be 1/n each side."""
    dataset = truth("ring8").dataset
    values = []
    for seed in range(200):
        rng = torch.Generator().manual_seed(seed)
        reference = dataset.sample(50, rng)
        values.append(mmd(Observed(dataset.sample(50, rng)), reference, mean_kernel(reference)).item())
    assert abs(np.mean(values)) < 4 * np.std(values) / np.sqrt(len(values)) < 1 / 50
    assert min(values) < 0 < max(values)


@pytest.mark.parametrize("block", [1, 7, 64, 10_000])
def test_does_not_depend_on_the_block(block, truth, score, draw, monkeypatch):
    about = truth("grid25")
    samples = draw(about, 150, keep=0.5)
    whole = score("mmd[n=130]", about, samples)
    monkeypatch.setattr(distances, "BLOCK_BYTES", 1_000 * block)
    assert score("mmd[n=130]", about, samples) == pytest.approx(whole, rel=1e-12)


@pytest.mark.parametrize("target", TARGETS)
def test_dropped_modes_are_seen(target, truth, score, draw):
    about = truth(target)
    assert score("mmd[n=500]", about, draw(about, 500, keep=0.5)) > 0.005 > score("mmd[n=500]", about, draw(about, 500))
