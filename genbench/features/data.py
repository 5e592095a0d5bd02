"""The parts of datasets that extractors are trained and measured on, with labels for each head."""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from genbench.datasets.images import Images
from genbench.errors import GenbenchError


class Labelled(NamedTuple):
    """Images with `labels` `(n, heads)`; `names` are those of the classes or, of yes or no, of the heads."""

    origin: str
    images: Images
    labels: Tensor
    names: tuple[str, ...]


class Parts(NamedTuple):
    """What an extractor is trained on, and what its card's figures are measured on."""

    train: Labelled
    reference: Labelled


def mnist() -> Parts:
    """The first 50 000 official training images, and the official test set."""
    names = tuple(map(str, range(10)))
    images, labels = _digits("train")
    tests, answers = _digits("t10k")
    train = Labelled("mnist, train", Images(images, torch.arange(50_000)), labels[:50_000], names)
    return Parts(train, Labelled("mnist, reference", Images(tests, torch.arange(len(tests))), answers, names))


def _digits(stem: str) -> tuple[Tensor, Tensor]:
    if "GENBENCH_DATA" not in os.environ:
        raise GenbenchError("GENBENCH_DATA is not set. Set it to the folder that holds MNIST/raw.")
    raw = Path(os.environ["GENBENCH_DATA"], "MNIST", "raw")
    images = np.frombuffer((raw / f"{stem}-images-idx3-ubyte").read_bytes(), np.uint8, offset=16).reshape(-1, 28, 28)
    labels = np.frombuffer((raw / f"{stem}-labels-idx1-ubyte").read_bytes(), np.uint8, offset=8)
    larger = [np.asarray(Image.fromarray(image).resize((32, 32), Image.Resampling.BICUBIC)) for image in images]
    return torch.from_numpy(np.stack(larger))[:, None], torch.from_numpy(labels.astype(np.int64))[:, None]
