"""Images that nobody took: folders and zips of them, whole and broken."""

from __future__ import annotations

import io
import struct
import zipfile
from pathlib import Path

import numpy as np
from PIL import Image


def encoded(seed: int = 0, size: tuple[int, int] = (24, 20), kind: str = "JPEG", mode: str = "RGB") -> bytes:
    """A smooth random image, so that JPEG hardly changes it."""
    coarse = np.random.default_rng(seed).integers(0, 256, (4, 4, 3), dtype=np.uint8)
    image = Image.fromarray(coarse).resize(size, Image.Resampling.BICUBIC).convert(mode)
    buffer = io.BytesIO()
    image.save(buffer, kind)
    return buffer.getvalue()


def nearly_the_same(ours: np.ndarray, theirs: np.ndarray) -> bool:
    """Whether pixels differ by one, and few of them: where torch and Pillow resize, they round a sum differently."""
    apart = np.abs(np.asarray(ours, int) - theirs)
    return ours.shape == theirs.shape and apart.max() <= 1 and apart.mean() < 0.05


def many(count: int, pattern: str = "{:06}.jpg", **details) -> dict[str, bytes]:
    """`count` different images by name."""
    return {pattern.format(i): encoded(i, **details) for i in range(1, count + 1)}


def folder(root: Path, files: dict[str, bytes]) -> Path:
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return root


def zipped(path: Path, files: dict[str, bytes]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w") as file:
        for name, content in files.items():
            file.writestr(name, content)
    return path


def idx(values: np.ndarray) -> bytes:
    """An array of uint8 in MNIST's own format."""
    return struct.pack(f">HBB{values.ndim}I", 0, 8, values.ndim, *values.shape) + values.tobytes()


def digits(root: Path, training: int = 60, test: int = 20) -> dict[str, bytes]:
    """A small MNIST in `root`, whose labels go round; returns its files."""
    rng = np.random.default_rng(0)
    files = {}
    for name, count in (("train", training), ("t10k", test)):
        files[f"{name}-images-idx3-ubyte"] = idx(rng.integers(0, 256, (count, 28, 28), dtype=np.uint8))
        files[f"{name}-labels-idx1-ubyte"] = idx((np.arange(count) % 10).astype(np.uint8))
    folder(root / "MNIST" / "raw", files)
    return files


def celeba(root: Path, count: int = 60, size: tuple[int, int] = (89, 109), unpacked: bool = False) -> dict[str, bytes]:
    """A small CelebA in `root`, all of it in the training part, the first attribute true of odd numbers."""
    faces = many(count, "img_align_celeba/{:06}.jpg", size=size)
    names = [name.rpartition("/")[2] for name in faces]
    rows = "".join(f"{name} {' '.join(['1' if i % 2 == 0 else '-1'] * 40)}\n" for i, name in enumerate(names))
    texts = {
        "list_eval_partition.txt": "".join(f"{name} 0\n" for name in names),
        "list_attr_celeba.txt": f"{count}\n{' '.join(f'A{i}' for i in range(40))} \n{rows}",
    }
    folder(root / "celeba", {name: text.encode() for name, text in texts.items()})
    if unpacked:
        folder(root / "celeba", faces)
    else:
        zipped(root / "celeba" / "img_align_celeba.zip", faces)
    return faces
