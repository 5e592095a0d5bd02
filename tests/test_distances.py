"""Tables of squared distances: right to the last digits, equal where pairs are, and the same in every block."""

import pytest
import torch
from scipy.spatial.distance import cdist

from genbench import distances
from genbench.distances import blocks, squared_distances

FEATURES = (1, 2, 3, 8, 9, 40)


def points(n, features, seed=0, dtype=torch.float64):
    return torch.randn(n, features, generator=torch.Generator().manual_seed(seed), dtype=dtype)


@pytest.mark.parametrize("features", FEATURES)
def test_agree_with_scipy(features):
    x, y = points(30, features), points(20, features, 1)
    assert squared_distances(x, y).numpy() == pytest.approx(cdist(x, y, "sqeuclidean"), rel=1e-13)


@pytest.mark.parametrize("features", FEATURES)
def test_small_ones_are_not_lost_far_from_the_origin(features):
    x = points(10, features) + 1e6
    assert squared_distances(x, x + 1e-4).diagonal().numpy() == pytest.approx(features * 1e-8, rel=1e-4)


@pytest.mark.parametrize("features", FEATURES)
def test_pair_has_one_value_wherever_it_stands(features):
    x, y = points(33, features, dtype=torch.float32), points(21, features, 1, torch.float32)
    table = squared_distances(x, y)
    assert torch.equal(squared_distances(x[:, None], y[None, :1].expand(33, 1, features))[:, 0, 0], table[:, 0])
    assert torch.equal(squared_distances(x[7:9], y[3:]), table[7:9, 3:])


@pytest.mark.parametrize("size", [1, 500, 10_000, 2**20])
@pytest.mark.parametrize("n", [1, 7, 100])
def test_blocks_are_the_whole_table(n, size, monkeypatch):
    monkeypatch.setattr(distances, "BLOCK_BYTES", size)
    x, y = points(n, 2), points(50, 2, 1)
    found = list(blocks(x, y))
    assert [i for rows, _ in found for i in range(n)[rows]] == list(range(n))
    assert torch.equal(torch.cat([squares for _, squares in found]), squared_distances(x, y))
    assert all(len(squares) == 1 or squares.nbytes <= size for _, squares in found)
