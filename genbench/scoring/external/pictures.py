"""Image files of anyone's, as samples of a dataset of images."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from genbench.datasets.files.decoding import decode_all
from genbench.datasets.files.sources import open_source
from genbench.datasets.files.stock import silent
from genbench.datasets.files.transforms import Mode, Pixels, Transform
from genbench.errors import GenbenchError
from genbench.scoring.external import Samples

MODES: dict[int, Mode] = {1: "L", 3: "RGB"}


def decoded(path: Path, event_shape: tuple[int, ...]) -> Samples:
    """The images of a folder or a zip as pixels `(n, channels, size, size)` of uint8, a square of each resized.

    Raises GenbenchError where a dataset's samples aren't square images in colour or grey, and
    where some image can't be used.
    """
    channels, height, width = event_shape if len(event_shape) == 3 else (0, 0, 0)
    if channels not in MODES or height != width:
        raise GenbenchError(
            f"{path} holds images, and this dataset's samples are of shape {event_shape}. Give a file of numbers, "
            "say .npy, or another --dataset."
        )
    source = open_source(path)
    parts: list[Pixels] = []
    several = decode_all(source, Transform(height, MODES[channels]), parts.append, silent).several
    left_out = [source.left_out] if source.left_out else []
    left_out += [f"all frames but the first of {several:,}"] if several else []
    return Samples(torch.from_numpy(np.concatenate(parts)), left_out=", ".join(left_out))
