"""What the mode metrics say about things that are not models: means measured over 50 draws of 2 500 samples."""

import math

import numpy as np
import pytest
import torch

from genbench.registry import controls, metrics

DRAWS, MEASURED_DRAWS, N = 40, 50, 2_500


def one_mode(dataset, n, rng):
    return dataset.altered(n, rng, keep=1e-3)


GENERATORS = {
    "oracle": lambda dataset, n, rng: controls["oracle"].build(dataset, n, rng),
    "centres": lambda dataset, n, rng: controls["centres"].build(dataset, n, rng),
    "noise": lambda dataset, n, rng: controls["noise"].build(dataset, n, rng),
    "gaussian": lambda dataset, n, rng: controls["gaussian"].build(dataset, n, rng),
    "one mode": one_mode,
}
COLUMNS = {
    "ring8": ("modes[rule=any]", "modes[share=0.064]", "hq", "reverse_kl[junk=false]"),
    "grid25": ("modes[rule=any]", "modes[share=0.2]", "hq", "reverse_kl[junk=false]"),
}
TABLE = {
    ("ring8", "oracle"): (8, 8, 0.9884, 0.0013),
    ("ring8", "centres"): (8, 8, 1, 0.0013),
    ("ring8", "noise"): (6.56, 0, 0.0053, 0.33),
    ("ring8", "gaussian"): (4.40, 0, 0.0027, 0.75),
    ("ring8", "one mode"): (1, 1, 0.9886, math.log(8)),
    ("grid25", "oracle"): (25, 25, 0.9888, 0.0050),
    ("grid25", "centres"): (25, 25, 1, 0.0047),
    ("grid25", "noise"): (23.14, 0, 0.0257, 0.21),
    ("grid25", "gaussian"): (17.78, 0, 0.0152, 0.51),
    ("grid25", "one mode"): (1, 1, 0.9888, math.log(25)),
}
ROUNDING = (0.005, 0.005, 0.00005, 0.005)
FINE_ROUNDING = (0.005, 0.005, 0.00005, 0.00005)


@pytest.mark.parametrize(("target", "generator"), TABLE)
def test_scores_are_the_measured_ones(target, generator, truth, draw):
    """Within four standard errors of the difference of two means, and the table's rounding."""
    about = truth(target)
    columns = [metrics.build(reference, about) for reference in COLUMNS[target]]
    values = []
    for seed in range(DRAWS):
        samples = GENERATORS[generator](about.dataset, N, torch.Generator().manual_seed(seed))
        for metric in columns:
            metric.reset()
            metric.update(samples)
        values.append([metric.compute().item() for metric in columns])
    errors = np.std(values, axis=0) * math.sqrt(1 / DRAWS + 1 / MEASURED_DRAWS)
    rounding = FINE_ROUNDING if generator in ("oracle", "centres") else ROUNDING
    for name, value, expected, error, rounded in zip(
        COLUMNS[target], np.mean(values, axis=0), TABLE[target, generator], errors, rounding, strict=True
    ):
        assert value == pytest.approx(expected, abs=4 * error + rounded), name


@pytest.mark.parametrize("target", ["ring8", "grid25"])
def test_the_fair_rule_gives_noise_nothing_where_any_gives_it_most(target, truth, score):
    about = truth(target)
    samples = controls["noise"].build(about.dataset, 10_000, torch.Generator().manual_seed(0))
    assert score("modes[rule=any]", about, samples) > 0.9 * len(about.modes.centres)
    assert score("modes", about, samples) == 0
