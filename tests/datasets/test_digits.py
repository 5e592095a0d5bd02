"""MNIST: which digits are in which part, what is checked, and what is said where they are missing."""

import os

import numpy as np
import pytest
import torch
from PIL import Image

from genbench.datasets import digits
from genbench.datasets.base import Finite
from genbench.datasets.files import roots
from genbench.datasets.images import as_pixels
from genbench.errors import GenbenchError
from genbench.registry import datasets
from genbench.spec import Component


def raw(files, name):
    """The official images, or labels, as the files hold them."""
    kind, skip = (("images-idx3-ubyte", 16), ("labels-idx1-ubyte", 8))[name == "labels"]
    values = [np.frombuffer(files[f"{part}-{kind}"][skip:], np.uint8) for part in ("train", "t10k")]
    return np.concatenate(values).reshape((-1, 28, 28) if name == "images" else -1)


def everything(part):
    return as_pixels(part.at(torch.arange(len(part))))


def test_parts_are_the_official_ones_with_the_last_training_images_held_out(small_mnist):
    built = datasets.build("mnist[size=28]")
    assert isinstance(built, Finite)
    images, labels = raw(small_mnist, "images"), raw(small_mnist, "labels")
    for part, first, last in ((built.train, 0, 50), (built.held_out, 50, 60), (built.reference, 60, 80)):
        assert np.array_equal(everything(part)[:, 0], images[first:last])
        assert np.array_equal(part.labels, labels[first:last])
    assert built.classes == tuple("0123456789")


def test_digits_are_resized(small_mnist):
    built = datasets.build("mnist")
    assert built.event_shape == (1, 32, 32)
    first = Image.fromarray(raw(small_mnist, "images")[0]).resize((32, 32), Image.Resampling.BICUBIC)
    assert np.array_equal(everything(built.train)[0, 0], np.asarray(first))


def test_decoded_digits_need_no_files_any_more(small_mnist):
    before = datasets.build("mnist").train.labels
    for path in digits.stock(size=32).where.iterdir():
        path.unlink()
    assert torch.equal(datasets.build("mnist").train.labels, before)


@pytest.mark.parametrize("name", digits.MNIST.files)
def test_file_of_another_checksum_is_refused_by_name(name, small_mnist):
    path = digits.stock(size=32).where / name
    path.write_bytes(path.read_bytes()[:-1] + b"\xff")
    with pytest.raises(GenbenchError, match=rf"{name} is not MNIST's.*Remove it"):
        datasets.build("mnist")
    assert digits.stock(size=32).find() is None


def test_what_older_versions_of_torchvision_left_beside_is_not_read(small_mnist):
    beside = digits.stock(size=28).where.parent / "processed"
    beside.mkdir()
    for name in ("training.pt", "test.pt"):
        torch.save((torch.zeros(3, 28, 28, dtype=torch.uint8), torch.zeros(3, dtype=torch.int64)), beside / name)
    assert np.array_equal(everything(datasets.build("mnist[size=28]").train)[:, 0], raw(small_mnist, "images")[:50])


@pytest.mark.parametrize("name", digits.MNIST.files)
def test_pipe_in_the_place_of_a_file_is_refused(name, small_mnist):
    path = digits.stock(size=32).where / name
    path.unlink()
    os.mkfifo(path)
    with pytest.raises(GenbenchError, match=rf"{name} can't be read \(not a regular file\)"):
        datasets.build("mnist")


def test_missing_files_are_fetched_and_else_the_folder_to_fill_is_named(small_mnist, monkeypatch, capsys):
    from torchvision.datasets import MNIST

    asked = []

    def no_network(self):
        asked.append(self.root)
        print("Failed to download (trying next):")
        raise RuntimeError("Error downloading")

    path = digits.stock(size=32).where / "t10k-labels-idx1-ubyte"
    path.unlink()
    monkeypatch.setattr(MNIST, "download", no_network)
    with pytest.raises(GenbenchError) as missing:
        datasets.build("mnist")
    assert asked == [roots.data_root()]
    for words in (str(path.parent), *digits.MNIST.files, "--data DIR", "GENBENCH_DATA=DIR"):
        assert words in str(missing.value)
    assert capsys.readouterr() == ("", "")


def test_identity_is_fixed_by_the_checksums_and_needs_no_files():
    component = Component.resolve(datasets, "mnist")
    assert component.files == {}
    assert component.identity["parameters"] == {"size": 32}


def test_real_digits(real_data):
    built = datasets.build("mnist")
    assert (len(built.train), len(built.held_out), len(built.reference)) == (50_000, 10_000, 10_000)
    assert built.train.labels[:5].tolist() == [5, 0, 4, 1, 9]
    assert built.reference.labels.bincount().tolist() == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]
    mean = everything(built.reference).float().mean().item() / 255
    assert mean == pytest.approx(0.1325, abs=0.001)


def test_real_clothes(real_data):
    built = datasets.build("fashion-mnist[size=28]")
    assert (len(built.train), len(built.held_out), len(built.reference)) == (50_000, 10_000, 10_000)
    assert [built.classes[label] for label in built.train.labels[:4]] == ["ankle boot", "T-shirt", "T-shirt", "dress"]
    assert built.reference.labels.bincount().tolist() == [1_000] * 10
    mean = everything(built.reference).float().mean().item() / 255
    assert mean == pytest.approx(0.2868, abs=0.001)
