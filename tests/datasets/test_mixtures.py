"""Rings, grids and mixtures from files: where their modes are, how wide, and how often each is drawn."""

import cmath
import math

import numpy as np
import pandas as pd
import pytest
import torch

from genbench.errors import BadParameter
from genbench.registry import datasets

GRIDS = [2, 3, 5, 10]


def stream(seed=0):
    return torch.Generator().manual_seed(seed)


def places(dataset):
    """The centres as sorted pairs."""
    return sorted(map(tuple, dataset.modes.centres.tolist()))


def close(found, expected):
    return np.allclose(sorted(found), sorted(expected), atol=1e-6)


@pytest.fixture
def file(tmp_path):
    """`file("0,0\\n1,1")`: the reference of a mixture around what that file says."""

    def written(content, name="centres.csv", std=0.1):
        path = tmp_path / name
        if isinstance(content, str):
            path.write_text(content)
        elif isinstance(content, bytes):
            path.write_bytes(content)
        else:
            np.save(path, content)
        return f"mixture[path={path},std={std}]"

    return written


def test_ring8_is_the_published_ring():
    ring8 = datasets.build("ring8")
    assert close(places(ring8), [(x, y) for x in (-1, 1) for y in (-1, 1)] + [
        (math.sqrt(2), 0), (-math.sqrt(2), 0), (0, math.sqrt(2)), (0, -math.sqrt(2))
    ])  # fmt: skip
    assert ring8.modes.std == pytest.approx(0.01 * math.sqrt(2))


def test_grid25_is_the_published_grid():
    grid25 = datasets.build("grid25")
    assert close(places(grid25), [(i / math.sqrt(2), j / math.sqrt(2)) for i in range(-2, 3) for j in range(-2, 3)])
    assert grid25.modes.std == pytest.approx(0.025 / math.sqrt(2))


def test_grid100_keeps_the_ratio_of_std_to_spacing():
    grid100 = datasets.build("grid100")
    spacing = torch.pdist(grid100.modes.centres.double()).min().item()
    assert len(places(grid100)) == 100
    assert grid100.modes.std == pytest.approx(0.025 * spacing, rel=1e-5)


@pytest.mark.parametrize("modes", [2, 3, 7, 8, 12, 100])
def test_ring_has_distinct_places_evenly_on_its_circle(modes):
    """`linspace(0, 2π, modes)` with both ends would give one place twice."""
    centres = [complex(*place) for place in datasets.build(f"ring[modes={modes}]").modes.centres.tolist()]
    assert len(centres) == modes
    turn = cmath.exp(2j * math.pi / modes)
    for i, centre in enumerate(centres):
        assert centre == pytest.approx(math.sqrt(2) * turn**i, abs=1e-5)


@pytest.mark.parametrize("side", GRIDS)
def test_grid_is_square_centred_and_of_unit_std(side):
    centres = datasets.build(f"grid[side={side}]").modes.centres.double()
    assert centres.shape == (side**2, 2)
    assert torch.allclose(centres.mean(0), torch.zeros(2).double(), atol=1e-6)
    assert torch.allclose(centres.T.cov(correction=0), torch.eye(2).double(), atol=1e-6)
    for axis in centres.T:
        values, counts = axis.unique(return_counts=True)
        steps = values[1:] - values[:-1]
        assert counts.tolist() == [side] * side
        assert torch.allclose(steps, steps[:1], rtol=1e-5)


@pytest.mark.parametrize("std", [0.01, 0.2])
def test_std_is_in_units_of_the_radius_or_of_the_spacing(std):
    assert datasets.build(f"ring[std={std}]").modes.std == pytest.approx(std * math.sqrt(2))
    assert datasets.build(f"grid[side=5,std={std}]").modes.std == pytest.approx(std / math.sqrt(2))


@pytest.mark.parametrize(("short", "long"), [("ring8", "ring"), ("grid25", "grid"), ("grid100", "grid[side=10]")])
def test_names_are_short_for_parameters(short, long):
    one, other = datasets.build(short), datasets.build(long)
    assert torch.equal(one.modes.centres, other.modes.centres)
    assert torch.equal(one.sample(9, stream()), other.sample(9, stream()))


@pytest.mark.parametrize("name", ["ring8", "grid25", "grid100"])
def test_samples_have_a_std_of_one_an_axis(name):
    samples = datasets.build(name).sample(50_000, stream()).double()
    assert torch.allclose(samples.std(0), torch.ones(2).double(), atol=0.02)
    assert torch.allclose(samples.mean(0), torch.zeros(2).double(), atol=0.02)


@pytest.mark.parametrize("name", ["ring8", "grid25", "ring[modes=3,std=0.05]"])
def test_samples_are_shared_evenly_and_spread_normally(name):
    n, dataset = 40_000, datasets.build(name)
    centres, std, _ = dataset.modes
    samples = dataset.sample(n, stream()).double()
    distance, mode = torch.cdist(samples, centres.double()).min(1)
    counts = torch.bincount(mode, minlength=len(centres)).double()
    fair = n / len(centres)
    assert ((counts - fair).square() / fair).sum() < len(centres) + 5 * math.sqrt(2 * len(centres))
    within = (samples - centres.double()[mode]) / std
    assert torch.allclose(within.T.cov(), torch.eye(2).double(), atol=0.04)
    for k in (0.5, 1, 2, 3):
        assert (distance < k * std).double().mean().item() == pytest.approx(1 - math.exp(-(k**2) / 2), abs=0.012)


@pytest.mark.parametrize("spread", [0.0, 0.5, 3.0])
def test_spread_multiplies_the_noise(spread):
    dataset = datasets.build("ring8")
    plain, spread_out = (dataset.altered(500, stream(), spread=s).double() for s in (1.0, spread))
    centres = dataset.altered(500, stream(), spread=0.0).double()
    assert torch.allclose(spread_out - centres, spread * (plain - centres), atol=1e-6)


def test_density_is_a_mean_of_gaussian_densities():
    dataset = datasets.build("ring[modes=3,std=0.3]")
    points, std = [(0.0, 0.0), (1.4, 0.1), (-2.0, 1.0)], 0.3 * math.sqrt(2)
    for point, found in zip(points, dataset.log_prob(torch.tensor(points)).tolist(), strict=True):
        squares = [math.dist(point, centre) ** 2 for centre in dataset.modes.centres.tolist()]
        densities = [math.exp(-square / (2 * std**2)) / (2 * math.pi * std**2) for square in squares]
        assert found == pytest.approx(math.log(sum(densities) / 3), rel=1e-6)


@pytest.mark.parametrize(
    "reference",
    [
        "ring[modes=1]",
        "ring[modes=2.5]",
        "ring[std=0]",
        "ring[std=-1]",
        "grid[side=1]",
        "grid[side=101]",
        "ring8[std=1]",
    ],
)
def test_impossible_parameters_are_refused(reference):
    with pytest.raises(BadParameter, match="genbench show"):
        datasets.build(reference)


def test_file_gives_centres_in_its_order_and_units(file):
    dataset = datasets.build(file("3,0.5\n-1,2e1\n"))
    assert dataset.modes.centres.tolist() == [[3, 0.5], [-1, 20]]
    assert dataset.modes.std == 0.1
    assert dataset.modes.weights.tolist() == [0.5, 0.5]
    assert dataset.box.low.tolist() == [-1, 0.5]
    assert dataset.box.high.tolist() == [3, 20]


def test_numpy_file_is_the_same_as_text(file):
    centres = np.array([[3, 0.5], [-1, 20.0]])
    text, binary = datasets.build(file("3,0.5\n-1,20\n")), datasets.build(file(centres, "centres.npy"))
    assert torch.equal(text.modes.centres, binary.modes.centres)


def test_data_frames_are_read_as_samples_are(file, tmp_path):
    centres = pd.DataFrame([[3, 0.5], [-1, 20.0]], columns=["x", "y"], index=[7, 3])
    centres.to_parquet(tmp_path / "centres.parquet")
    expected = datasets.build(file("3,0.5\n-1,20\n")).modes.centres
    for other in (file(centres.to_csv(), "indexed.csv"), f"mixture[path={tmp_path / 'centres.parquet'},std=0.1]"):
        assert torch.equal(datasets.build(other).modes.centres, expected)


@pytest.mark.parametrize("dimensions", [1, 3, 8])
def test_file_may_have_any_number_of_columns(dimensions, file):
    centres = np.arange(4.0 * dimensions).reshape(4, dimensions)
    dataset = datasets.build(file(centres, "centres.npy"))
    assert dataset.event_shape == (dimensions,)
    assert dataset.sample(6, stream()).shape == (6, dimensions)
    at_a_centre = dataset.log_prob(torch.from_numpy(centres[:1]))
    assert at_a_centre.item() == pytest.approx(-math.log(4) - dimensions * math.log(0.1 * math.sqrt(2 * math.pi)))


@pytest.mark.parametrize(
    "content",
    ["", "\n\n", "0,0\n", "0,0\n1\n", "0,0\nnan,1\n", "0,0\ninf,1\n", "0,0\n,1\n", "0 0\n1 1\n", b"\xff\xfe\x00"],
    ids=["empty", "blank", "one centre", "ragged", "nan", "infinite", "a gap", "no commas", "no text"],
)
def test_bad_text_is_refused_with_its_path(content, file):
    with pytest.raises(BadParameter, match=r"centres\.csv .*centres"):
        datasets.build(file(content))


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"not numpy's",
        np.arange(4.0),
        np.zeros((2, 2, 2)),
        np.zeros((1, 2)),
        np.array([[0, np.nan], [1, 1]]),
        np.array([["a", "b"], ["c", "d"]]),
        np.array([[0, 0], [1, 1]], dtype=complex) * 1j,
        np.array([[0, 0], [1e300, 1]]),
        np.zeros((3, 0)),
    ],
    ids=["empty", "foreign", "flat", "deep", "one centre", "nan", "text", "complex", "beyond float32", "no columns"],
)
def test_bad_array_is_refused_with_its_path(content, file):
    with pytest.raises(BadParameter, match=r"centres\.npy .*centres"):
        datasets.build(file(content, "centres.npy"))


def test_empty_file_gives_one_error_and_no_warning(file):
    with pytest.raises(BadParameter, match=r"centres\.csv"):
        datasets.build(file(""))


def test_pickled_array_is_never_loaded(file):
    with pytest.raises(BadParameter, match=r"centres\.npy"):
        datasets.build(file(np.array([{"a": 1}, {"b": 2}], dtype=object), "centres.npy"))


def test_missing_file_and_folder_are_refused(tmp_path):
    for path in (tmp_path / "nowhere.csv", tmp_path / "nowhere.npy", tmp_path):
        with pytest.raises(BadParameter, match=path.name):
            datasets.build(f"mixture[path={path},std=0.1]")


def test_file_needs_a_path_and_a_std(tmp_path):
    with pytest.raises(BadParameter, match="parameter path is missing"):
        datasets.build("mixture[std=0.1]")
    with pytest.raises(BadParameter, match="parameter std is missing"):
        datasets.build(f"mixture[path={tmp_path}]")
