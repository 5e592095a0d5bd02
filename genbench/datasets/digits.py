"""MNIST: 70 000 handwritten digits (yann.lecun.com/exdb/mnist), opened and fetched by torchvision."""

from __future__ import annotations

import contextlib
import hashlib
import io
import socket
from collections.abc import Iterator
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

if TYPE_CHECKING:
    from genbench.datasets.images import ImageSet

FILES = {
    "train-images-idx3-ubyte": "6bbc9ace898e44ae57da46a324031adb",
    "train-labels-idx1-ubyte": "a25bea736e30d166cdddb491f175f624",
    "t10k-images-idx3-ubyte": "2646ac647ad5339dbf082846283269ea",
    "t10k-labels-idx1-ubyte": "27ae3e4e09519cfbb04c329615203637",
}
"""The uncompressed files and their MD5."""

TRAINING, TEST, HELD_OUT = 60_000, 10_000, 10_000
SIDE = 28
CLASSES = tuple(map(str, range(10)))
PATIENCE_SECONDS = 20.0


@dataclass(frozen=True)
class Digits:
    """The stock of all digits, the official training images first, resized to `size`."""

    size: int

    @property
    def where(self) -> Path:
        return data_root() / "MNIST" / "raw"

    @property
    def present(self) -> bool:
        return all((self.where / name).is_file() for name in FILES)

    @property
    def key(self) -> Key:
        """What decides the pixels."""
        return Key(f"mnist-{self.size}", {"files": FILES, "size": self.size})

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
            digits, labels = _read()
            for i, digit in enumerate(digits):
                image = Image.fromarray(digit)
                write(np.asarray(image.resize((self.size, self.size), Image.Resampling.BICUBIC))[None, None])
                if (i + 1) % 1_000 == 0:
                    progress(i + 1, len(digits))
            return labels

        return cache.build(self.key, (TRAINING + TEST, 1, self.size, self.size), fill)

    @property
    def left_out(self) -> str:
        """Nothing: the files' names leave no choice."""
        return ""

    def check(self, progress: Progress) -> list[str]:
        """Compares the files' MD5 with the official ones."""
        for i, (name, md5) in enumerate(FILES.items()):
            path = self.where / name
            if not path.is_file():
                raise GenbenchError(self._missing)
            if hashlib.md5(path.read_bytes(), usedforsecurity=False).hexdigest() != md5:
                raise GenbenchError(f"{path} is not MNIST's: its MD5 is not {md5}. Remove it, and fetch it again.")
            progress(i + 1, len(FILES))
        return [f"{TRAINING + TEST:,} images in {len(CLASSES)} classes"]

    @property
    def _missing(self) -> str:
        return (
            f"MNIST is not in {self.where}, and can't be fetched from here. Put these files there, unpacked: "
            f"{', '.join(FILES)}. Or name the folder above MNIST/raw where they are: --data DIR, or {DATA}=DIR"
        )

    def _fetch(self) -> None:
        from torchvision.datasets import MNIST

        try:
            with _patience(), contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
                MNIST(data_root(), download=True)
        except (OSError, RuntimeError) as error:
            raise GenbenchError(self._missing) from error


def stock(*, size: int) -> Digits:
    """The stock of `mnist`, and of `stacked-mnist`."""
    return Digits(size)


def mnist(size: int) -> ImageSet:
    """All digits, in their parts."""
    from genbench.datasets.images import image_set

    last = TRAINING - HELD_OUT
    split = Split(np.arange(last), np.arange(last, TRAINING), np.arange(TRAINING, TRAINING + TEST))
    return image_set(stock(size=size).prepare(silent), split, CLASSES)


def _read() -> tuple[Pixels, Labels]:
    from torchvision.datasets import MNIST

    both = [MNIST(data_root(), train=train) for train in (True, False)]
    digits = np.concatenate([part.data.numpy() for part in both])
    return digits, np.concatenate([part.targets.numpy() for part in both])


@contextlib.contextmanager
def _patience() -> Iterator[None]:
    """Within, a server that doesn't answer is given up."""
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(PATIENCE_SECONDS)
    try:
        yield
    finally:
        socket.setdefaulttimeout(before)
