import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from reference import modes_twin
from scipy.spatial.distance import jensenshannon
from scipy.stats import entropy

from genbench.errors import Skip, Undefined
from genbench.metrics.truth import Truth
from genbench.registry import datasets, metrics

TARGETS = ("ring8", "grid25", "ring[modes=3,std=0.2]", "grid[side=3,std=0.15]")
GENERATORS = {
    "oracle": lambda dataset, n, rng: dataset.sample(n, rng),
    "half of the modes": lambda dataset, n, rng: dataset.altered(n, rng, keep=0.5),
    "twice the spread": lambda dataset, n, rng: dataset.altered(n, rng, spread=2.0),
    "noise": lambda dataset, n, rng: 1.6 * (2 * torch.rand(n, 2, generator=rng) - 1),
    "one mode": lambda dataset, n, rng: dataset.altered(n, rng, keep=1e-3),
}
TWINS = {
    "modes[rule=any]": lambda *a: modes_twin.modes_any(*a, k=3),
    "modes[rule=any,k=1.5]": lambda *a: modes_twin.modes_any(*a, k=1.5),
    "modes": lambda *a: modes_twin.modes_fair(*a, k=3, share=0.2),
    "modes[share=0.9,k=2]": lambda *a: modes_twin.modes_fair(*a, k=2, share=0.9),
    "hq": lambda *a: modes_twin.hq(*a, k=3),
    "hq[k=1]": lambda *a: modes_twin.hq(*a, k=1),
    "reverse_kl": lambda *a: modes_twin.reverse_kl(*a, k=3, junk=True),
    "reverse_kl[k=5]": lambda *a: modes_twin.reverse_kl(*a, k=5, junk=True),
    "reverse_kl[junk=false]": lambda *a: modes_twin.reverse_kl(*a, k=3, junk=False),
    "jsd": lambda *a: modes_twin.jsd(*a, k=3),
    "jsd[k=1]": lambda *a: modes_twin.jsd(*a, k=1),
}


def as_twin_sees(truth, samples):
    centres, std, _ = truth.modes
    return samples.double().tolist(), centres.double().tolist(), std


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("generator", GENERATORS)
def test_agrees_with_the_twin(target, generator, truth, score):
    about = truth(target)
    samples = GENERATORS[generator](about.dataset, 401, torch.Generator().manual_seed(1))
    for reference, twin in TWINS.items():
        expected = twin(*as_twin_sees(about, samples))
        assert score(reference, about, samples) == pytest.approx(expected, rel=1e-6, abs=1e-7), reference


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("spread", [0.3, 1.0, 1.7])
@pytest.mark.parametrize(("k", "share"), [(3, 0.2), (1, 0.9)])
@pytest.mark.parametrize("metric", ["std_ratio", "offset"])
def test_spread_and_offset_agree_with_the_twin(metric, target, spread, k, share, truth, score, draw):
    about = truth(target)
    samples = draw(about, 601, spread=spread) + 0.2 * about.modes.std
    if not modes_twin.modes_fair(*as_twin_sees(about, samples), k=k, share=share):
        with pytest.raises(Skip, match=r"no mode is captured|no captured mode"):
            score(f"{metric}[k={k},share={share}]", about, samples)
    else:
        expected = getattr(modes_twin, metric)(*as_twin_sees(about, samples), k=k, share=share)
        assert score(f"{metric}[k={k},share={share}]", about, samples) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("dimensions", [1, 3, 5])
def test_agrees_with_the_twin_in_other_dimensions(dimensions, tmp_path, score):
    centres = np.random.default_rng(dimensions).normal(size=(6, dimensions))
    np.save(tmp_path / "centres.npy", centres)
    about = Truth(datasets.build(f"mixture[path={tmp_path / 'centres.npy'},std=0.05]"))
    samples = about.dataset.sample(490, torch.Generator().manual_seed(0))
    seen = as_twin_sees(about, samples)
    for reference, twin in TWINS.items():
        assert score(reference, about, samples) == pytest.approx(twin(*seen), rel=1e-6, abs=1e-7), reference
    for name, twin in (("std_ratio", modes_twin.std_ratio), ("offset", modes_twin.offset)):
        assert score(name, about, samples) == pytest.approx(twin(*seen, k=3, share=0.2), rel=1e-6)


@given(
    placed=st.lists(st.tuples(st.integers(0, 24), st.floats(0, 6), st.floats(0, 2 * math.pi)), min_size=1, max_size=60),
    share=st.sampled_from([0.1, 0.2, 0.5, 1.0]),
)
@settings(derandomize=True, deadline=None, max_examples=60)
def test_counts_agree_with_the_twin_wherever_samples_lie(placed, share, truth, score):
    about = truth("grid25")
    centres, std, _ = about.modes
    points = [(*centres[mode].tolist(), r * std, angle) for mode, r, angle in placed]
    samples = torch.tensor([(x + r * math.cos(a), y + r * math.sin(a)) for x, y, r, a in points])
    seen = as_twin_sees(about, samples)
    assert score("modes[rule=any]", about, samples) == modes_twin.modes_any(*seen, k=3)
    assert score(f"modes[share={share}]", about, samples) == modes_twin.modes_fair(*seen, k=3, share=share)
    assert score("hq", about, samples) == pytest.approx(modes_twin.hq(*seen, k=3))


@pytest.mark.parametrize("modes", [2, 3, 5, 8, 10, 25, 100])
@pytest.mark.parametrize("share", [0.2, 0.1, 1.0])
def test_a_mode_counts_at_exactly_its_share_and_not_below(modes, share, score):
    about = Truth(datasets.build(f"ring[modes={modes}]"))
    fair = 12
    n = round(fair * modes / share)

    def samples(held):
        far = torch.full((n - held, 2), 50.0)
        return torch.cat([about.modes.centres[:1].expand(held, 2), far])

    assert score(f"modes[share={share}]", about, samples(fair)) == 1
    assert score(f"modes[share={share}]", about, samples(fair - 1)) == 0


def test_the_bound_of_high_quality_is_strict(tmp_path, score):
    (tmp_path / "centres.csv").write_text("0,0\n16,0\n", encoding="utf-8")
    about = Truth(datasets.build(f"mixture[path={tmp_path / 'centres.csv'},std=0.5]"))
    samples = torch.tensor([[0.0, 1.5], [0.0, 1.4999], [16.0, -1.5], [16.0, 1.5001]])
    assert score("hq", about, samples) == 0.25


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("generator", ["oracle", "half of the modes", "noise"])
def test_divergences_agree_with_scipy(target, generator, truth, score):
    about = truth(target)
    samples = GENERATORS[generator](about.dataset, 2_000, torch.Generator().manual_seed(2))
    seen = as_twin_sees(about, samples)
    counts = np.array(modes_twin.counts(*seen, k=3))
    modes = len(counts)
    p = np.append(counts, 2_000 - counts.sum()) / 2_000
    q = np.append(np.full(modes, -math.expm1(-4.5) / modes), math.exp(-4.5))
    assert score("reverse_kl", about, samples) == pytest.approx(entropy(p, q), rel=1e-6, abs=1e-9)
    assert score("jsd", about, samples) == pytest.approx(jensenshannon(p, q) ** 2, rel=1e-6, abs=1e-9)
    pacgan = math.log(modes) - modes_twin.histogram_entropy(*seen, k=3)
    assert score("reverse_kl[junk=false]", about, samples) == pytest.approx(pacgan, rel=1e-6, abs=1e-9)


@pytest.mark.parametrize("k", [6, 9, 12])
def test_one_junk_sample_costs_its_log_odds_at_any_radius(k, truth, score):
    """ln(p/q) of the junk bin with q = exp(−k²/2), which is far below a double's resolution beside 1."""
    about = truth("ring8")
    samples = torch.cat([about.modes.centres.repeat(10, 1), torch.full((1, 2), 50.0)])
    expected = modes_twin.reverse_kl(*as_twin_sees(about, samples), k=k, junk=True)
    assert score(f"reverse_kl[k={k}]", about, samples) == pytest.approx(expected, rel=1e-6)


def test_jsd_of_nothing_but_junk_nears_its_bound(truth, score):
    far = torch.full((100, 2), 50.0)
    assert score("jsd[k=6]", truth("ring8"), far) == pytest.approx(math.log(2), abs=1e-6)
    assert score("jsd", truth("ring8"), far) < math.log(2)


@pytest.mark.parametrize("k", [1.0, 2.0, 3.0])
@pytest.mark.parametrize("target", ["ring8", "grid25"])
def test_the_truth_scores_its_high_quality_ceiling(k, target, truth, score, draw):
    n = 100_000
    ceiling = 1 - math.exp(-k * k / 2)
    error = math.sqrt(ceiling * (1 - ceiling) / n)
    assert score(f"hq[k={k}]", truth(target), draw(truth(target), n)) == pytest.approx(ceiling, abs=4 * error)


@pytest.mark.parametrize("target", ["ring8", "grid25"])
@pytest.mark.parametrize("k", [1.0, 3.0])
def test_the_truths_std_ratio_is_1(target, k, truth, score, draw):
    n = 100_000
    value = score(f"std_ratio[k={k}]", truth(target), draw(truth(target), n))
    assert value == pytest.approx(1, abs=4 / math.sqrt(n))


@pytest.mark.parametrize("distance", [0.0, 0.5, 1.37, 2.5])
@pytest.mark.parametrize("target", ["ring8", "grid25"])
def test_modes_that_sit_in_one_point_have_no_spread_wherever_that_is(distance, target, truth, score):
    """About the true centre, such samples at a distance of 1.37 stds would have the truth's spread."""
    about = truth(target)
    step = about.modes.std * distance * torch.tensor([0.6, 0.8])
    samples = (about.modes.centres + step).repeat(100, 1)
    assert score("std_ratio", about, samples) == pytest.approx(0, abs=1e-3)
    assert score("offset", about, samples) == pytest.approx(distance, abs=1e-3)


@pytest.mark.parametrize("shift", [0.0, 0.3, 1.0])
def test_a_shift_is_offset_and_hardly_any_spread(shift, truth, score, draw):
    about = truth("grid25")
    samples = draw(about, 100_000) + shift * about.modes.std * torch.tensor([1.0, 0.0])
    expected = modes_twin.truncated_mean(shift, k=3)
    assert score("offset[k=3]", about, samples) == pytest.approx(expected, abs=0.03)
    assert score("std_ratio", about, samples) == pytest.approx(1, abs=0.06)


@pytest.mark.parametrize("target", ["ring8", "grid25"])
def test_the_truths_offset_is_that_of_a_mean_of_finitely_many(target, truth, score, draw):
    """A mean of m samples of a mode lies √(π/2m) stds off its centre."""
    about, n = truth(target), 10_000
    modes = len(about.modes.centres)
    values = [score("offset", about, draw(about, n, seed)) for seed in range(20)]
    floor = math.sqrt(math.pi * modes / (2 * n))
    assert np.mean(values) == pytest.approx(floor, rel=0.06)


def test_the_truths_std_ratio_is_1_however_few_samples_a_mode_holds(truth, score, draw):
    """Divided by m − 1: about 10 samples a mode would else score 0.95."""
    about = truth("grid100")
    values = [score("std_ratio", about, draw(about, 1_000, seed)) for seed in range(40)]
    assert np.mean(values) == pytest.approx(0.98, abs=0.01)


def test_a_single_sample_has_an_offset_and_no_spread(truth, score):
    about = truth("ring8")
    sample = about.modes.centres[:1] + torch.tensor([[about.modes.std, 0.0]])
    assert score("offset", about, sample) == pytest.approx(1, abs=1e-3)
    with pytest.raises(Skip, match="no captured mode holds two samples"):
        score("std_ratio", about, sample)


@pytest.mark.parametrize("spread", [0.0, 0.5])
def test_std_ratio_is_the_shrinkage_of_modes_well_inside(spread, truth, score, draw):
    samples = draw(truth("grid25"), 50_000, spread=spread)
    uncut = modes_twin.truncated_second_moment(2, 50)
    cut = modes_twin.truncated_second_moment(2, 3)
    assert score("std_ratio", truth("grid25"), samples) == pytest.approx(spread * math.sqrt(uncut / cut), abs=0.01)


@pytest.mark.parametrize(("target", "modes"), [("ring8", 8), ("grid25", 25)])
@pytest.mark.parametrize("junk", [True, False])
def test_the_truths_reverse_kl_floor(target, modes, junk, truth, draw):
    """A multinomial's expected divergence is (bins − 1)/2n; the junk bin is one more."""
    n, draws = 2_500, 400
    metric = metrics.build(f"reverse_kl[junk={junk}]", truth(target))
    values = []
    for seed in range(draws):
        metric.reset()
        metric.update(draw(truth(target), n, seed))
        values.append(metric.compute().item())
    floor = (modes - (not junk)) / (2 * n)
    error = math.sqrt(2 * modes) / (2 * n) / math.sqrt(draws)
    assert np.mean(values) == pytest.approx(floor, abs=4 * error)


@pytest.mark.parametrize(
    "reference", ["modes", "modes[rule=any]", "hq", "std_ratio", "offset", "reverse_kl[junk=false]", "jsd"]
)
def test_needs_modes(reference, truth):
    with pytest.raises(Skip, match="no modes"):
        metrics.build(reference, truth("swissroll"))


@pytest.mark.parametrize(
    ("reference", "reason"),
    [
        ("std_ratio", "no captured mode holds two samples"),
        ("offset", "no mode is captured"),
        ("reverse_kl[junk=false]", "no sample lies near"),
    ],
)
def test_samples_far_from_every_mode_leave_nothing_to_measure(reference, reason, truth, score):
    with pytest.raises(Undefined, match=reason):
        score(reference, truth("ring8"), torch.full((10, 2), 50.0))


def test_eight_modes_are_eight_places(truth, score):
    """Samples of a ring whose ends coincide, as in linspace(0, 2π, 8), hold modes of it at one place alone."""
    angles = torch.linspace(0, 2 * math.pi, 8)
    samples = math.sqrt(2) * torch.stack([angles.cos(), angles.sin()], 1).repeat(100, 1)
    assert score("modes[rule=any]", truth("ring8"), samples) == 1
