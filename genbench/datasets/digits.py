"""MNIST (yann.lecun.com/exdb/mnist) and Fashion-MNIST (arXiv:1708.07747): 70 000 grey squares in ten classes each.

Both are in files of the same kind, IDX, which torchvision fetches and reads.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import socket
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from genbench.datasets.files import cache
from genbench.datasets.files.cache import Cached, Key, Labels
from genbench.datasets.files.roots import DATA, data_root
from genbench.datasets.files.splits import Split
from genbench.datasets.files.stock import silent
from genbench.datasets.files.transforms import Pixels, Progress, Write
from genbench.errors import GenbenchError
from genbench.records import reading

if TYPE_CHECKING:
    from genbench.datasets.images import ImageSet

TRAINING, TEST, HELD_OUT = 60_000, 10_000, 10_000
SIDE = 28
PATIENCE_SECONDS = 20.0


@dataclass(frozen=True)
class Collection:
    """Which of the two: its name, torchvision's class and folder, its classes, and its uncompressed files' MD5."""

    name: str
    spelled: str
    torchvisions: str
    classes: tuple[str, ...]
    files: Mapping[str, str]


MNIST = Collection(
    name="mnist",
    spelled="MNIST",
    torchvisions="MNIST",
    classes=tuple(map(str, range(10))),
    files={
        "train-images-idx3-ubyte": "6bbc9ace898e44ae57da46a324031adb",
        "train-labels-idx1-ubyte": "a25bea736e30d166cdddb491f175f624",
        "t10k-images-idx3-ubyte": "2646ac647ad5339dbf082846283269ea",
        "t10k-labels-idx1-ubyte": "27ae3e4e09519cfbb04c329615203637",
    },
)
FASHION = Collection(
    name="fashion-mnist",
    spelled="Fashion-MNIST",
    torchvisions="FashionMNIST",
    classes=(
        "T-shirt", "trouser", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "ankle boot",
    ),
    files={
        "train-images-idx3-ubyte": "f4a8712d7a061bf5bd6d2ca38dc4d50a",
        "train-labels-idx1-ubyte": "9018921c3c673c538a1fc5bad174d6f9",
        "t10k-images-idx3-ubyte": "8181f5470baa50b63fa0f6fddb340f0a",
        "t10k-labels-idx1-ubyte": "15d484375f8d13e6eb1aabb0c3f46965",
    },
)  # fmt: skip


@dataclass(frozen=True)
class Squares:
    """The stock of all of a collection's images, the official training images first, resized to `size`."""

    of: Collection
    size: int

    @property
    def where(self) -> Path:
        return data_root() / self.of.torchvisions / "raw"

    @property
    def present(self) -> bool:
        return all((self.where / name).exists() for name in self.of.files)

    @property
    def key(self) -> Key:
        """What decides the pixels."""
        return Key(f"{self.of.name}-{self.size}", {"files": dict(self.of.files), "size": self.size})

    def fingerprints(self) -> dict[str, str]:
        """None: the checksums leave no choice."""
        return {}

    def find(self) -> Cached | None:
        return cache.find(self.key)

    def prepare(self, progress: Progress) -> Cached:
        """Fetches the files first where they are missing."""

        def fill(write: Write) -> Labels:
            if not self.present:
                self._fetch()
            self.check(silent)
            squares, labels = self._read()
            for i, square in enumerate(squares):
                image = Image.fromarray(square)
                write(np.asarray(image.resize((self.size, self.size), Image.Resampling.BICUBIC))[None, None])
                if (i + 1) % 1_000 == 0:
                    progress(i + 1, len(squares))
            return labels

        return cache.build(self.key, (TRAINING + TEST, 1, self.size, self.size), fill)

    @property
    def left_out(self) -> str:
        """Nothing: the files' names leave no choice."""
        return ""

    def check(self, progress: Progress) -> list[str]:
        """Compares the files' MD5 with the official ones."""
        for i, (name, md5) in enumerate(self.of.files.items()):
            path = self.where / name
            try:
                content = reading.content(path)
            except FileNotFoundError:
                raise GenbenchError(self._missing) from None
            except OSError as error:
                raise GenbenchError(f"{path} can't be read ({error.strerror}).") from None
            if hashlib.md5(content, usedforsecurity=False).hexdigest() != md5:
                raise GenbenchError(
                    f"{path} is not {self.of.spelled}'s: its MD5 is not {md5}. Remove it, and fetch it again."
                )
            progress(i + 1, len(self.of.files))
        return [f"{TRAINING + TEST:,} images in {len(self.of.classes)} classes"]

    @property
    def _missing(self) -> str:
        return (
            f"{self.of.spelled} is not in {self.where}, and can't be fetched from here. Put these files there, "
            f"unpacked: {', '.join(self.of.files)}. Or name the folder above {self.of.torchvisions}/raw where they "
            f"are: --data DIR, or {DATA}=DIR"
        )

    def _fetch(self) -> None:
        try:
            with _patience(), contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
                self._download()
        except (OSError, RuntimeError) as error:
            raise GenbenchError(self._missing) from error

    def _read(self) -> tuple[Pixels, Labels]:
        # Not by torchvision's class, which takes what older versions of it left in a folder beside, and never looks.
        from torchvision.datasets.mnist import read_image_file, read_label_file

        images, labels = (
            [read(str(self.where / name)).numpy() for name in self.of.files if kind in name]
            for read, kind in ((read_image_file, "images"), (read_label_file, "labels"))
        )
        return np.concatenate(images), np.concatenate(labels)

    def _download(self) -> None:
        from torchvision import datasets

        # Its making would first look for what older versions of torchvision left, and read that.
        collection = getattr(datasets, self.of.torchvisions)
        fetched = collection.__new__(collection)
        fetched.root = data_root()
        fetched.download()


def stock(*, size: int) -> Squares:
    """The stock of `mnist`, and of `stacked-mnist`."""
    return Squares(MNIST, size)


def fixed_stock(*, stacks: int, size: int) -> Squares:
    """The stock of `stacked-mnist-fixed`: that of `mnist`, however many stacks are made of it."""
    return stock(size=size)


def fashion_stock(*, size: int) -> Squares:
    """The stock of `fashion-mnist`."""
    return Squares(FASHION, size)


def image_set_of(squares: Squares) -> ImageSet:
    """All images of a stock, in their parts."""
    from genbench.datasets.images import image_set

    last = TRAINING - HELD_OUT
    split = Split(np.arange(last), np.arange(last, TRAINING), np.arange(TRAINING, TRAINING + TEST))
    return image_set(squares.prepare(silent), split, squares.of.classes)


@contextlib.contextmanager
def _patience() -> Iterator[None]:
    """Within, a server that doesn't answer is given up."""
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(PATIENCE_SECONDS)
    try:
        yield
    finally:
        socket.setdefaulttimeout(before)
