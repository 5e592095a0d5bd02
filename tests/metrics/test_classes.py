"""What logits say about samples, of one head and of several."""

import math

import pytest
import torch
from reference import classes_twin

from genbench.errors import Skip
from genbench.metrics.classes import Classes, class_score, confident
from genbench.metrics.histogram import captured, hq, reverse_kl
from genbench.metrics.observed import Observed

SHAPES = [(200, 1, 10), (200, 3, 4), (60, 2, 3), (1, 1, 5)]


def logits(n, heads, classes_, seed=0, scale=4.0):
    """Uneven ones: later classes are rarer."""
    rng = torch.Generator().manual_seed(seed)
    return scale * torch.randn(n, heads, classes_, generator=rng) - torch.linspace(0, scale, classes_)


def classified(given):
    """Samples of which nothing but logits is known."""
    return Observed(torch.zeros(len(given), 0), given)


def modes_fair(given, share, sure):
    return captured(classified(given), Classes(sure), "fair", share)


def modes_any(given):
    return captured(classified(given), Classes(), "any", 0.2)


def divergence(given):
    return reverse_kl(classified(given), Classes(), junk=False).item()


def score_of(given, splits):
    return class_score(classified(given), splits).item()


def sure_of(numbers, heads=1, classes_=10):
    """Logits that leave no doubt about the classes that are numbered."""
    places = classes_ ** torch.arange(heads - 1, -1, -1)
    digits = numbers[:, None] // places % classes_
    return 100.0 * torch.nn.functional.one_hot(digits, classes_).float()


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("sure", [0.0, 0.5, 0.9])
def test_agrees_with_the_twin(shape, sure):
    given = logits(*shape)
    samples = given.double().tolist()
    assert modes_any(given) == classes_twin.modes_any(samples)
    for share in (0.2, 0.5, 1.0):
        assert modes_fair(given, share, sure) == classes_twin.modes_fair(samples, share, sure)
    assert divergence(given) == pytest.approx(classes_twin.reverse_kl(samples), rel=1e-12)
    told = [classes_twin.is_sure(sample, sure) for sample in samples]
    assert confident(classified(given), sure).tolist() == told
    assert hq(classified(given), Classes(sure)) == sum(told) / len(told)


@pytest.mark.parametrize(("held", "counts"), [(19, False), (20, True), (21, True)])
def test_class_counts_from_exactly_its_share_on(held, counts):
    """.2 · 1000 / 10 = 20, which is no binary fraction's product."""
    numbers = torch.cat([torch.full((held,), 3), torch.full((1_000 - held,), 7)])
    assert modes_fair(sure_of(numbers), 0.2, 0.9) == 1 + counts


def test_doubtful_samples_count_under_any_and_not_under_fair():
    given = torch.cat([sure_of(torch.arange(5)), 1e-3 * sure_of(torch.arange(5, 10))])
    assert modes_any(given) == 10
    assert modes_fair(given, 0.2, 0.9) == 5


def test_one_doubtful_head_makes_a_sample_doubtful():
    given = sure_of(torch.arange(8), heads=3, classes_=2)
    given[0, 1] = 0
    assert confident(classified(given), 0.9).tolist() == [False] + [True] * 7


def test_stacks_of_all_thousand_classes_are_a_thousand_modes():
    given = sure_of(torch.arange(1_000), heads=3)
    assert modes_fair(given, 0.2, 0.9) == modes_any(given) == 1_000
    assert divergence(given) == pytest.approx(0, abs=1e-12)


def test_floor_of_the_reverse_kl_is_that_of_26_000_even_draws():
    """(M − 1)/2n = .0192."""
    rng = torch.Generator().manual_seed(0)
    values = [divergence(sure_of(torch.randint(1_000, (26_000,), generator=rng), heads=3)) for _ in range(3)]
    assert sum(values) / 3 == pytest.approx(0.0192, rel=0.03)


def test_one_class_alone_is_ln_m_away():
    assert divergence(sure_of(torch.full((50,), 321), heads=3)) == pytest.approx(math.log(1_000))


@pytest.mark.parametrize("kept", [1, 3, 10])
def test_class_score_is_the_number_of_even_classes_that_leave_no_doubt(kept):
    numbers = torch.arange(600) % kept
    assert score_of(sure_of(numbers), 2) == pytest.approx(kept, rel=1e-9)


def test_class_score_of_doubt_is_1():
    assert score_of(torch.zeros(40, 1, 10), 4) == pytest.approx(1)


@pytest.mark.parametrize(("n", "splits"), [(100, 10), (25, 10), (101, 4)])
def test_class_score_is_a_mean_over_as_many_splits_as_were_asked_for(n, splits):
    given = logits(n, 1, 6)
    parts = [given[i * n // splits : (i + 1) * n // splits] for i in range(splits)]
    expected = sum(score_of(part, 1) for part in parts) / splits
    assert score_of(given, splits) == pytest.approx(expected, rel=1e-12)


def test_class_score_of_fewer_samples_than_splits_is_skipped():
    with pytest.raises(Skip, match="10 splits need as many samples and got 9"):
        score_of(logits(9, 1, 6), 10)


def test_class_score_of_heads_is_their_mean():
    given = logits(80, 3, 5)
    alone = [score_of(given[:, head, None], 1) for head in range(3)]
    assert score_of(given, 1) == pytest.approx(sum(alone) / 3, rel=1e-12)
