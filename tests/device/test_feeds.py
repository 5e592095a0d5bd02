"""Every registered dataset is drawn from on the device; pixels live there once, or travel in batches."""

import os

import pytest
import torch

from genbench import seeding
from genbench.contract import fake_cuda as fakes
from genbench.contract.digits import digits
from genbench.datasets.base import Finite
from genbench.datasets.stacked import StackSet
from genbench.registry import datasets

NAMES = [entry.name for entry in datasets]


@pytest.fixture
def built(tmp_path):
    """`built(name)`: a registered dataset, where its data are at hand."""

    def of(name):
        if name == "images":
            folder = tmp_path / "images"
            folder.mkdir()
            from PIL import Image

            for i in range(60):
                Image.new("RGB", (8, 8), (i, 2 * i, 3 * i)).save(folder / f"{i}.png")
            return datasets.build(f"images[path={folder},size=8]")
        if name == "mixture":
            (tmp_path / "centres.csv").write_text("0,0\n1,1\n")
            return datasets.build(f"mixture[path={tmp_path / 'centres.csv'},std=0.1]")
        if datasets[name].stock is not None and "GENBENCH_DATA" not in os.environ:
            pytest.skip("GENBENCH_DATA is not set")
        return datasets.build(name)

    return of


@pytest.mark.parametrize("name", NAMES)
def test_it_draws_where_its_stream_is(name, built, request, travels):
    data = built(name)
    request.getfixturevalue("device")
    there = data.to("cuda")
    rng = seeding.stream(0, seeding.TRAINING_DATA, "cuda")
    with travels() as seen:
        samples = there.sample(7, rng)
        parts = [samples]
        if data.classes:
            parts += there.labelled(7, rng)
    assert seen == []
    assert {part.device.type for part in parts} == {"cuda"}
    assert tuple(samples.shape) == (7, *data.event_shape)


@pytest.mark.parametrize("make", [digits, lambda: StackSet(digits())], ids=["images", "stacks"])
def test_all_parts_share_one_copy_of_the_pixels(make, request):
    data = make()
    request.getfixturevalue("device")
    there = data.to("cuda")
    again = there.to("cuda")
    parts = [getattr(each, name) for each in (there, again) for name in ("train", "held_out", "reference")]
    images = [getattr(part, "digits", part) for part in parts]
    assert len({id(part.pixels) for part in images}) == 1
    assert {part.index.device.type for part in images} == {"cuda"}


def test_pixels_that_do_not_fit_stay_and_travel_by_the_batch(request, travels, monkeypatch):
    data = digits()
    request.getfixturevalue("device")
    monkeypatch.setattr(fakes, "MEMORY", 1)
    monkeypatch.setattr(torch.Tensor, "pin_memory", lambda self: self)
    there = data.to("cuda")
    assert there.train.pixels.device.type == "cpu"
    with travels() as seen:
        assert there.sample(5, seeding.stream(0, seeding.TRAINING_DATA, "cuda")).device.type == "cuda"
    assert ("aten._to_copy.default", "cpu", "cuda") in seen


def test_a_deal_on_the_device_stays_there(request):
    data = digits()
    request.getfixturevalue("device")
    dealt = data.to("cuda").dealt(torch.Generator())
    assert isinstance(dealt, Finite)
    assert dealt.held_out.distinct(3, torch.Generator()).device.type == "cuda"
    assert dealt.train.at(torch.arange(2)).device.type == "cuda"
