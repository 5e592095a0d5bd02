"""Decoding into the cache and without one, also in other processes, which import it by the name that it has here."""

import io
import time
import zipfile
from pathlib import Path

from PIL import Image

from genbench.datasets.files import cache
from genbench.datasets.files.sources import open_source
from genbench.datasets.files.transforms import Transform

TRANSFORM = Transform(16)


def quiet(done, total):
    pass


def prepared(path, transform=TRANSFORM, progress=quiet):
    return cache.prepare("made-up", open_source(path), transform, progress)


def prepare_and_count(path):
    """Where the entry is, and how often this process heard of progress."""
    heard = []
    entry = prepared(Path(path), progress=lambda done, total: heard.append(done))
    return str(entry.folder), len(heard)


class Decoded:
    """CelebA as a map-style dataset of floats, each decoded when it is asked for."""

    def __init__(self, path, names, box):
        self.path, self.names, self.box, self.file = path, names, box, None

    def __len__(self):
        return len(self.names)

    def __getitem__(self, i):
        import numpy as np
        import torch

        self.file = self.file or zipfile.ZipFile(self.path)
        image = Image.open(io.BytesIO(self.file.read(self.names[i]))).convert("RGB")
        image = image.resize((64, 64), Image.Resampling.BICUBIC, box=self.box)
        return torch.from_numpy(np.array(image)).permute(2, 0, 1).float().div_(127.5).sub_(1)


def decode(path, names, box, resize, ready, spans):
    """Decodes images, and perhaps crops and resizes them, once all are `ready`; tells when it started and ended."""
    with zipfile.ZipFile(Path(path)) as file:
        contents = [file.read(name) for name in names]
    ready.wait()
    started = time.monotonic()
    for content in contents:
        image = Image.open(io.BytesIO(content))
        image.load()
        if resize:
            image.resize((64, 64), Image.Resampling.BICUBIC, box=box)
    spans.put((started, time.monotonic()))
