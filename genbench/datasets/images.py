"""Images in memory: decoded once, drawn by an index and a cast."""

from __future__ import annotations

from collections.abc import Sequence, Sized
from typing import TYPE_CHECKING, Self

import torch
from torch import Generator, Tensor

from genbench.datasets.base import Finite
from genbench.devices import free_bytes
from genbench.errors import Skip

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from genbench.datasets.files.cache import Cached
    from genbench.datasets.files.splits import Split

HALF_RANGE = 127.5
"""Pixels 0 … 255 are the floats −1 … 1."""

RESIDENT_SHARE = 0.5
"""Of a device's free memory, what a dataset's pixels may take to live there."""


class Images:
    """A part of a set of images: those of `pixels` `(all, channels, height, width)` of uint8 that `index` `(n,)` names.

    `labels` `(n,)` are their classes. Samples are floats in [−1, 1], on `device`; the pixels
    stay where they are unless `to` finds room for them.
    """

    def __init__(
        self, pixels: Tensor, index: Tensor, labels: Tensor | None = None, device: torch.device | str | None = None
    ) -> None:
        self.pixels, self.index, self.labels = pixels, index, labels
        self.device = device or pixels.device
        self.event_shape: tuple[int, ...] = tuple(pixels.shape[1:])

    def __len__(self) -> int:
        return len(self.index)

    def at(self, places: Tensor) -> Tensor:
        """The images at `places` `(n,)` of this part, `(n, channels, height, width)`."""
        rows = self.index[places.to(self.index.device)]
        return as_floats(travelled(self.pixels.index_select(0, rows.to(self.pixels.device)), self.device))

    def sample(self, n: int, rng: Generator) -> Tensor:
        return self.at(places_in(self, n, rng))

    def labelled(self, n: int, rng: Generator) -> tuple[Tensor, Tensor]:
        if self.labels is None:
            raise Skip("the images have no classes")
        places = places_in(self, n, rng)
        return self.at(places), self.labels[places.to(self.labels.device)].to(self.device)

    def distinct(self, n: int, rng: Generator) -> Tensor:
        if n > len(self):
            raise Skip(f"{n} different images were asked for and there are {len(self)}")
        return self.at(torch.randperm(len(self), generator=rng, device=rng.device)[:n])

    def of_classes(self, classes: Sequence[int]) -> Self:
        """Raises Skip where the images have no classes, or none of these."""
        if self.labels is None:
            raise Skip("the images have no classes")
        places = torch.isin(self.labels, torch.tensor(classes, device=self.labels.device)).nonzero()[:, 0]
        if not len(places):
            raise Skip(f"no image is of class {', '.join(map(str, classes))}")
        return self.only(places)

    def only(self, places: Tensor) -> Self:
        """The part that holds the images at `places` `(n,)` of this one."""
        labels = None if self.labels is None else self.labels[places]
        return type(self)(self.pixels, self.index[places], labels, self.device)

    def with_(self, other: Images) -> Self:
        """The part that holds these images and then those of `other`, which share their pixels."""
        assert self.pixels is other.pixels
        labels = (
            torch.cat([self.labels, other.labels]) if self.labels is not None and other.labels is not None else None
        )
        return type(self)(self.pixels, torch.cat([self.index, other.index]), labels, self.device)

    def to(self, device: torch.device | str) -> Self:
        """The same part, drawing on `device`, where its pixels live too if they fit."""
        return self._sharing(resident(self.pixels, torch.device(device)), torch.device(device))

    def _sharing(self, pixels: Tensor, device: torch.device) -> Self:
        """The same part of the same pixels, wherever these are, drawing on `device`."""
        labels = None if self.labels is None else self.labels.to(device)
        return type(self)(pixels, self.index.to(device), labels, device)


class ImageSet(Finite):
    """A dataset of images in three parts that share their pixels."""

    train: Images
    held_out: Images
    reference: Images

    def to(self, device: torch.device | str) -> ImageSet:
        """The same dataset, whose parts draw on `device` and share one copy of the pixels there."""
        device = torch.device(device)
        pixels = resident(self.train.pixels, device)
        parts = (part._sharing(pixels, device) for part in (self.train, self.held_out, self.reference))
        return ImageSet(*parts, classes=self.classes, private=self.private)

    def dealt(self, rng: Generator) -> ImageSet:
        both = self.held_out.with_(self.train)
        order, size = torch.randperm(len(both), generator=rng), len(self.held_out)
        train, held_out = both.only(order[size:]), both.only(order[:size])
        return ImageSet(train, held_out, self.reference, classes=self.classes, private=self.private)


def resident(pixels: Tensor, device: torch.device) -> Tensor:
    """The pixels on a device if they fit there, else where they are: then each batch travels by itself."""
    if device.type == "cuda" and pixels.device.type == "cpu":
        return pixels if pixels.numel() > RESIDENT_SHARE * free_bytes(device) else pixels.to(device)
    return pixels.to(device)


def image_set(entry: Cached, split: Split, classes: tuple[str, ...] = (), private: bool = False) -> ImageSet:
    """The dataset of an entry of the cache; its pixels stay in the file until they are drawn."""
    pixels = torch.from_numpy(entry.pixels)
    labels = None if entry.labels is None else torch.from_numpy(entry.labels)

    def part(places: NDArray[np.int64]) -> Images:
        index = torch.from_numpy(places)
        return Images(pixels, index, None if labels is None else labels[index])

    return ImageSet(part(split.train), part(split.held_out), part(split.reference), classes=classes, private=private)


def travelled(pixels: Tensor, device: torch.device | str) -> Tensor:
    """Pixels on a device; to a CUDA device they travel while the host goes on."""
    device = torch.device(device)
    if device.type != "cuda" or pixels.device.type != "cpu":
        return pixels.to(device)
    return pixels.pin_memory().to(device, non_blocking=True)


def places_in(part: Sized, n: int, rng: Generator) -> Tensor:
    """`n` places `(n,)` in a part, drawn with replacement, on the stream's device."""
    return torch.randint(len(part), (n,), generator=rng, device=rng.device)


def as_floats(pixels: Tensor) -> Tensor:
    """Pixels 0 … 255 of uint8 as floats in [−1, 1]."""
    # Cast first: arithmetic that casts as it goes takes three times as long.
    return pixels.float().sub_(HALF_RANGE).div_(HALF_RANGE)


def as_pixels(images: Tensor) -> Tensor:
    """Floats in [−1, 1] as the nearest pixels of uint8; what lies beyond is clamped."""
    return ((images + 1) * HALF_RANGE).round_().clamp_(0, 255).to(torch.uint8)


def stored(samples: Tensor, *, replicas: bool = False) -> Tensor:
    """Samples `(n, *event)` as they are scored and stored: images as pixels, anything else in single precision.

    With `replicas`, a dimension of theirs comes first.
    """
    if samples.dtype == torch.uint8:
        return samples
    return as_pixels(samples) if samples.dim() == 4 + replicas else samples.float()
