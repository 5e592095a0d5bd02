"""Extracting from images, and what is remembered of it."""

from typing import NamedTuple

import pytest
import torch

from genbench.datasets.images import as_floats
from genbench.features import Extracted, extraction
from genbench.features.extraction import Recalling, extract, remembered


class Eye:
    """Takes means and spreads, and counts from how many images."""

    name, size = "eye-1", 2

    def __init__(self, sha256="0" * 64):
        self.sha256, self.taken = sha256, 0

    def __call__(self, images):
        self.taken += len(images)
        flat = images.flatten(1)
        return Extracted(torch.stack([flat.mean(1), flat.std(1)], 1), flat[:, None, :3].clone())


class Remembered(NamedTuple):
    """What was extracted, and from how many images anew."""

    extracted: Extracted
    taken: int


@pytest.fixture
def pixels():
    rng = torch.Generator().manual_seed(0)
    return torch.randint(256, (23, 1, 4, 4), generator=rng, dtype=torch.uint8)


@pytest.fixture
def remember(tmp_path, pixels):
    """Extracts with a fresh eye and the memory in a folder."""

    def again(images=pixels, folder=tmp_path / "features", **eye):
        fresh = Eye(**eye)
        return Remembered(remembered(fresh, images, folder), fresh.taken)

    return again


def same(one, other):
    return all(map(torch.equal, one, other))


@pytest.mark.parametrize("block", [1, 7, 23, 1_000])
def test_does_not_depend_on_the_block(block, pixels, monkeypatch):
    monkeypatch.setattr(extraction, "BLOCK", block)
    assert same(extract(Eye(), pixels), Eye()(as_floats(pixels)))


def test_is_extracted_once(remember, pixels):
    first, second = remember(), remember()
    assert (first.taken, second.taken) == (len(pixels), 0)
    assert same(first.extracted, second.extracted)
    assert same(first.extracted, extract(Eye(), pixels))


def test_memory_is_one_file_named_for_the_extractor(remember, tmp_path):
    remember()
    (path,) = (tmp_path / "features").iterdir()
    assert path.name.startswith("eye-1-")


@pytest.mark.parametrize(
    "other",
    [
        lambda pixels: pixels ^ torch.tensor([1] + [0] * 22, dtype=torch.uint8)[:, None, None, None],
        lambda pixels: pixels.flip(0),
        lambda pixels: pixels[:22],
        lambda pixels: pixels.reshape(23, 1, 2, 8),
    ],
    ids=["one bit", "another order", "fewer", "another shape"],
)
def test_other_images_are_extracted_from(other, remember, pixels):
    remember()
    images = other(pixels)
    again = remember(images)
    assert again.taken == len(images)
    assert same(again.extracted, extract(Eye(), images))


def test_other_weights_extract_for_themselves(remember, pixels):
    remember()
    assert remember(sha256="1" * 64).taken == len(pixels)


def test_images_need_not_lie_in_one_piece(remember, pixels):
    remember()
    assert remember(pixels.transpose(2, 3).contiguous().transpose(2, 3)).taken == 0


@pytest.mark.parametrize("damage", [b"", b"\0" * 40, "half", "nothing known"], ids=str)
def test_damaged_memory_is_made_again(damage, remember, pixels, tmp_path):
    from safetensors.torch import save

    before = remember()
    (path,) = (tmp_path / "features").iterdir()
    content = path.read_bytes()
    path.write_bytes(
        {"half": content[: len(content) // 2], "nothing known": save({"other": torch.zeros(1)})}.get(damage, damage)
    )
    after = remember()
    assert after.taken == len(pixels)
    assert same(after.extracted, before.extracted)
    assert path.read_bytes() == content
    assert remember().taken == 0


def test_folder_that_cannot_be_written_does_no_harm(remember, pixels, tmp_path):
    blocked = tmp_path / "a file"
    blocked.write_text("")
    assert [remember(folder=blocked).taken for _ in range(2)] == [len(pixels)] * 2
    assert blocked.read_text() == ""


class ByChannel(Eye):
    """Takes each channel by itself."""

    by_channel = True

    def __call__(self, images):
        n, channels = images.shape[:2]
        extracted = super().__call__(images.flatten(0, 1)[:, None])
        return Extracted(extracted.features.reshape(n, -1), extracted.logits.reshape(n, channels, -1))


def test_an_image_is_taken_once_and_recalled_in_any_company(pixels):
    eye = Eye()
    recalling = Recalling(eye)
    extract(recalling, pixels[:9])
    extracted = extract(recalling, pixels.flip(0))
    assert eye.taken == len(pixels)
    for ours, theirs in zip(extracted, extract(Eye(), pixels.flip(0)), strict=True):
        assert torch.equal(ours, theirs)
    again = extract(recalling, pixels[[3, 3, 5]])
    assert eye.taken == len(pixels)
    assert torch.equal(again.features, extract(Eye(), pixels[[3, 3, 5]]).features)


def test_stacks_cost_each_of_their_channels_once(pixels):
    eye = ByChannel()
    recalling = Recalling(eye)
    stacks = pixels[torch.arange(60) % 20, 0].reshape(20, 3, 4, 4)
    for ours, theirs in zip(extract(recalling, stacks), extract(ByChannel(), stacks), strict=True):
        assert torch.equal(ours, theirs)
    assert eye.taken == 20


def test_what_is_held_of_too_many_images_is_forgotten(pixels, monkeypatch):
    monkeypatch.setattr(extraction, "MOST_BYTES", 100)
    eye = Eye()
    recalling = Recalling(eye)
    for _ in range(2):
        assert torch.equal(extract(recalling, pixels).features, extract(Eye(), pixels).features)
    assert eye.taken == 2 * len(pixels)
