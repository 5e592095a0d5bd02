"""CelebA: where it is read from, what of an image is kept, who gets which, and the attributes."""

import io
import os
from pathlib import Path

import numpy as np
import pictures
import pytest
import torch
from PIL import Image

from genbench.datasets import faces
from genbench.datasets.base import Finite
from genbench.datasets.files import splits
from genbench.datasets.images import as_pixels
from genbench.errors import BadParameter, GenbenchError
from genbench.registry import datasets
from genbench.spec import Component, Suite


@pytest.fixture
def root(tmp_path):
    return tmp_path / "data"


def everything(dataset):
    """All images by their place in the source."""
    parts = (dataset.train, dataset.held_out, dataset.reference)
    return {
        int(i): image for part in parts for i, image in zip(part.index, part.at(torch.arange(len(part))), strict=True)
    }


def listing(root, parts):
    """Gives the first `parts[0]` images to training, the next to the second part, the rest to the third."""
    numbers = np.repeat([0, 1, 2], parts)
    text = "".join(f"{i:06}.jpg {number}\n" for i, number in enumerate(numbers, 1))
    (root / "celeba" / faces.PARTITION).write_text(text)


@pytest.mark.parametrize("unpacked", [False, True])
@pytest.mark.parametrize(("size", "side"), [((178, 218), 148), ((89, 109), 74)])
def test_centre_is_kept_whatever_the_resolution(unpacked, size, side, root):
    files = pictures.celeba(root, size=size, unpacked=unpacked)
    built = datasets.build("celeba")
    assert isinstance(built, Finite)
    assert built.event_shape == (3, 64, 64)
    assert (built.classes, built.train.labels) == ((), None)
    assert built.private
    left, top = round((size[0] - side) / 2), round((size[1] - side) / 2)
    image = Image.open(io.BytesIO(files["img_align_celeba/000007.jpg"]))
    square = image.crop((left, top, left + side, top + side))
    wanted = np.asarray(square.resize((64, 64), Image.Resampling.BICUBIC))
    assert pictures.nearly_the_same(as_pixels(everything(built)[6]).permute(1, 2, 0), wanted)


def test_official_parts_where_they_are_large_enough(root, monkeypatch):
    monkeypatch.setattr(splits, "LEAST_OFFICIAL", 10)
    pictures.celeba(root)
    listing(root, [35, 15, 10])
    built = datasets.build("celeba[size=8]")
    assert [part.index.tolist() for part in (built.train, built.held_out, built.reference)] == [
        list(range(35)), list(range(35, 50)), list(range(50, 60)),
    ]  # fmt: skip


@pytest.mark.parametrize("name", ["img_align_celeba_png", "img_align_celeba"])
def test_edition_in_png_has_the_parts_and_attributes_that_the_lists_give_to_jpegs(name, root, monkeypatch):
    monkeypatch.setattr(splits, "LEAST_OFFICIAL", 10)
    files = pictures.celeba(root, unpacked=True)
    for path in (root / "celeba/img_align_celeba").iterdir():
        path.unlink()
    (root / "celeba/img_align_celeba").rmdir()
    for path, content in files.items():
        png = root / "celeba" / name / f"{Path(path).stem}.png"
        png.parent.mkdir(exist_ok=True)
        Image.open(io.BytesIO(content)).save(png)
    listing(root, (40, 10, 10))
    built = datasets.build("celeba")
    assert [len(part) for part in (built.train, built.held_out, built.reference)] == [40, 10, 10]
    assert [len(part) for part in faces.attributes()[1:]] == [40, 10, 10]


def test_random_parts_where_they_are_not(root):
    pictures.celeba(root)
    built = datasets.build("celeba[size=8]")
    assert (len(built.train), len(built.held_out), len(built.reference)) == (36, 12, 12)
    (root / "celeba" / faces.PARTITION).unlink()
    assert torch.equal(datasets.build("celeba[size=8]").reference.index, built.reference.index)


@pytest.mark.parametrize(
    ("text", "words"),
    [("000001.jpg 0\n", "doesn't list 59 of the 60 images"), ("nonsense\n", "is no list of images and parts")],
)
def test_partition_that_is_none_is_refused(text, words, root):
    pictures.celeba(root)
    (root / "celeba" / faces.PARTITION).write_text(text)
    with pytest.raises(GenbenchError, match=words):
        datasets.build("celeba")


def test_attributes_follow_the_parts(root):
    pictures.celeba(root)
    built, found = datasets.build("celeba[size=8]"), faces.attributes()
    assert found.names == tuple(f"A{i}" for i in range(40))
    for part, has in zip((built.train, built.held_out, built.reference), found[1:], strict=True):
        assert has.shape == (len(part), 40)
        assert np.array_equal(has[:, 0], part.index % 2 == 0)


def test_attributes_that_are_missing_are_named(root):
    pictures.celeba(root)
    path = root / "celeba" / faces.ATTRIBUTES
    lines = path.read_text().splitlines()
    for text in ("\n".join(lines[:-1]), "\n".join([lines[0], "A0", *lines[2:]]), ""):
        path.write_text(text)
        with pytest.raises(GenbenchError, match=r"list_attr_celeba.txt .*Fetch it again"):
            faces.attributes()


def test_missing_images_name_the_folder_to_fill_and_a_plan_needs_none(root):
    plan = Suite(
        name="x", version=1, datasets=("celeba[crop=148]",), trainers=("gan",), seeds=(0,),
        budget={"kind": "steps", "amount": 1},
    )  # fmt: skip
    assert plan.canonical().datasets == ("celeba",)
    with pytest.raises(GenbenchError) as missing:
        plan.trials()
    for words in (str(root / "celeba"), "img_align_celeba.zip", "--data DIR", "GENBENCH_DATA=DIR"):
        assert words in str(missing.value)


def test_identity_depends_on_images_and_parts(root, tmp_path, monkeypatch):
    monkeypatch.setattr(splits, "LEAST_OFFICIAL", 10)
    pictures.celeba(root)

    def identity():
        return Component.resolve(datasets, "celeba").identity

    random = identity()
    pictures.celeba(tmp_path / "other", unpacked=True)
    monkeypatch.setenv("GENBENCH_DATA", str(tmp_path / "other"))
    assert identity() == random
    listing(tmp_path / "other", [35, 15, 10])
    assert identity()["files"]["images"] == random["files"]["images"]
    assert identity()["files"]["split"] != random["files"]["split"]
    monkeypatch.setenv("GENBENCH_DATA", str(root))
    pictures.celeba(root, count=61)
    assert identity()["files"]["images"] != random["files"]["images"]


@pytest.mark.parametrize("change", ["crop=179", "crop=7", "size=7"])
def test_parameters_out_of_range_are_refused(change):
    with pytest.raises(BadParameter, match="can't be"):
        datasets.build(f"celeba[{change}]")


def test_real_faces(real_data):
    built, found = datasets.build("celeba"), faces.attributes()
    sizes = [len(part) for part in (built.train, built.held_out, built.reference)]
    lines = (Path(os.environ["GENBENCH_DATA"]) / "celeba" / faces.PARTITION).read_text().splitlines()
    assert sum(sizes) == len(lines)
    assert "Male" in found.names
    assert 0.3 < found.train[:, found.names.index("Male")].mean() < 0.55
