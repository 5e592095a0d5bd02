"""What logits say about samples, of one head and of several."""

import math

import pytest
import torch
from reference import classes_twin

from genbench.errors import Skip
from genbench.metrics import classes

SHAPES = [(200, 1, 10), (200, 3, 4), (60, 2, 3), (1, 1, 5)]


def logits(n, heads, classes_, seed=0, scale=4.0):
    """Uneven ones: later classes are rarer."""
    rng = torch.Generator().manual_seed(seed)
    return scale * torch.randn(n, heads, classes_, generator=rng) - torch.linspace(0, scale, classes_)


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
    assert classes.captured(given, "any", 0.2, sure) == classes_twin.modes_any(samples)
    for share in (0.2, 0.5, 1.0):
        assert classes.captured(given, "fair", share, sure) == classes_twin.modes_fair(samples, share, sure)
    assert classes.reverse_kl(given).item() == pytest.approx(classes_twin.reverse_kl(samples), rel=1e-12)
    assert classes.certain(given, sure).tolist() == [classes_twin.is_sure(sample, sure) for sample in samples]


@pytest.mark.parametrize(("held", "counts"), [(19, False), (20, True), (21, True)])
def test_class_counts_from_exactly_its_share_on(held, counts):
    """.2 · 1000 / 10 = 20, which is no binary fraction's product."""
    numbers = torch.cat([torch.full((held,), 3), torch.full((1_000 - held,), 7)])
    assert classes.captured(sure_of(numbers), "fair", 0.2, 0.9) == 1 + counts


def test_doubtful_samples_count_under_any_and_not_under_fair():
    given = torch.cat([sure_of(torch.arange(5)), 1e-3 * sure_of(torch.arange(5, 10))])
    assert classes.captured(given, "any", 0.2, 0.9) == 10
    assert classes.captured(given, "fair", 0.2, 0.9) == 5


def test_one_doubtful_head_makes_a_sample_doubtful():
    given = sure_of(torch.arange(8), heads=3, classes_=2)
    given[0, 1] = 0
    assert classes.certain(given, 0.9).tolist() == [False] + [True] * 7


def test_stacks_of_all_thousand_classes_are_a_thousand_modes():
    given = sure_of(torch.arange(1_000), heads=3)
    assert classes.captured(given, "fair", 0.2, 0.9) == classes.captured(given, "any", 0.2, 0.9) == 1_000
    assert classes.reverse_kl(given).item() == pytest.approx(0, abs=1e-12)


def test_floor_of_the_reverse_kl_is_that_of_26_000_even_draws():
    """(M − 1)/2n = .0192."""
    rng = torch.Generator().manual_seed(0)
    found = [
        classes.reverse_kl(sure_of(torch.randint(1_000, (26_000,), generator=rng), heads=3)).item() for _ in range(3)
    ]
    assert sum(found) / 3 == pytest.approx(0.0192, rel=0.03)


def test_one_class_alone_is_ln_m_away():
    assert classes.reverse_kl(sure_of(torch.full((50,), 321), heads=3)).item() == pytest.approx(math.log(1_000))


@pytest.mark.parametrize("kept", [1, 3, 10])
def test_class_score_is_the_number_of_even_classes_that_leave_no_doubt(kept):
    numbers = torch.arange(600) % kept
    assert classes.class_score(sure_of(numbers), 2).item() == pytest.approx(kept, rel=1e-9)


def test_class_score_of_doubt_is_1():
    assert classes.class_score(torch.zeros(40, 1, 10), 4).item() == pytest.approx(1)


@pytest.mark.parametrize(("n", "splits"), [(100, 10), (25, 10), (101, 4)])
def test_class_score_is_a_mean_over_as_many_splits_as_were_asked_for(n, splits):
    given = logits(n, 1, 6)
    parts = [given[i * n // splits : (i + 1) * n // splits] for i in range(splits)]
    expected = sum(classes.class_score(part, 1).item() for part in parts) / splits
    assert classes.class_score(given, splits).item() == pytest.approx(expected, rel=1e-12)


def test_class_score_of_fewer_samples_than_splits_is_skipped():
    with pytest.raises(Skip, match="10 splits need as many samples and got 9"):
        classes.class_score(logits(9, 1, 6), 10)


def test_class_score_of_heads_is_their_mean():
    given = logits(80, 3, 5)
    alone = [classes.class_score(given[:, head, None], 1).item() for head in range(3)]
    assert classes.class_score(given, 1).item() == pytest.approx(sum(alone) / 3, rel=1e-12)
