"""What pictures are drawn from, read so that whatever is malformed costs the pictures that need it and no more."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from safetensors import SafetensorError, safe_open

from genbench.records import reading
from genbench.records.layout import CURVE, IMAGE_SHAPE, SAMPLES
from genbench.records.record import MOST
from genbench.records.store import Found, Store, Unreadable

Tensors = dict[str, Any]
"""A trial's stored samples by name, with the generator `steps` of its strip."""

SHOWN = 64
"""So many images of a set are read; pictures show no more."""

MOST_NUMBERS = 2**24
"""Of a set of points no more are read."""

Shape = tuple[int | None, ...]
FLOATS, INTEGERS = ("F16", "F32", "F64"), ("I32", "I64")
POINTS: Mapping[str, Shape] = {
    "final": (None, 2),
    "strip": (None, None, 2),
    "real": (None, 2),
    "landscape": (None, None),
    "extent": (2, 2),
}
IMAGES: Mapping[str, Shape] = {
    "final": (None,),
    "strip": (None, None),
    "linear": (None, None),
    "spherical": (None, None),
    "sweep": (None, None),
    "neighbours": (None, None),
    "real": (None,),
    "ema.final": (None,),
    "ema.strip": (None, None),
}
"""Without the images' own channels, height and width."""

GENERATED = ("final", "strip", "ema.final", "ema.strip")
"""What is stored as the generator made it: of a target whose samples are rows of pixels, those rows."""

CHANNELS = (1, 3)

LOSS = "loss_"
"""Begins a column of a network's losses."""

DISTANCES = "neighbour_distances"
OF_A_TRIAL = ("trainer", "seed")
"""Columns that are no trial's own: they say whose its rows are, once all are in one table."""


def curve(store: Store, trial: Found, name: str, optional: bool = False) -> pa.Table | None:
    """The numbers of a trial's parquet file against its `steps` and `updates`; None, and a note, without those."""
    path = trial.folder / name
    try:
        whole = reading.table(path, trial.record.files.get(name))
    except (OSError, ValueError, NotImplementedError, MemoryError, KeyError, pa.ArrowException) as error:
        if not (optional and isinstance(error, FileNotFoundError)):
            _note(store, path, str((error.strerror if isinstance(error, OSError) else None) or error))
        return None
    numbers = [name for name in whole.column_names if name not in OF_A_TRIAL]
    if not {"steps", "updates"} <= set(numbers):
        _note(store, path, "no numbers in the columns steps and updates")
        return None
    return whole.select(numbers)


def curves(store: Store, trials: Mapping[str, Sequence[Found]], name: str, optional: bool = False) -> pd.DataFrame:
    """The parquet files of all trials that have one, below each other, with their row as `trainer` and their `seed`.

    `trials` stand by their rows' labels.
    """
    parts = []
    for label, trial in ((label, trial) for label, of in trials.items() for trial in of):
        if (part := curve(store, trial, name, optional)) is not None:
            for column, value in zip(OF_A_TRIAL, (label, trial.record.trial.seed), strict=True):
                part = part.append_column(column, pa.repeat(value, len(part)))
            parts.append(part)
    if not parts:
        return pd.DataFrame()
    whole: pd.DataFrame = pa.concat_tables(parts, promote_options="permissive").to_pandas()
    for column in [column for column in whole.columns if whole[column].dtype.kind == "f"]:
        # Beyond it no axis has room for the others.
        whole[column] = whole[column].where(whole[column].abs() <= MOST)
    return whole


def networks_of(curves: pd.DataFrame) -> list[str]:
    """The networks whose losses are among the columns."""
    return [name.removeprefix(LOSS) for name in curves.columns if name.startswith(LOSS)]


def samples(store: Store, trial: Found) -> Tensors | None:
    """A trial's samples where they are points of the plane, `(n, 2)`, or images, `(n, channels, height, width)`.

    Rows of pixels that say what images they are come as those.
    """
    path = trial.folder / SAMPLES
    try:
        reading.check(path, trial.record.files.get(SAMPLES))
        with safe_open(path, framework="numpy") as file:
            parts = {name: file.get_slice(name) for name in file.keys()}  # noqa: SIM118 (not a mapping)
            if "final" not in parts:
                _note(store, path, "no tensor is named final")
                return None
            shape = tuple(parts["final"].get_shape())
            if len(shape) == 4 and shape[1] in CHANNELS:
                tensors = _images(parts, shape[1:], lambda problem: _note(store, path, problem))
            elif IMAGE_SHAPE in parts:
                tensors = _rows(parts, lambda problem: _note(store, path, problem))
            elif shape[1:] == (2,):
                tensors = _points(parts, lambda problem: _note(store, path, problem))
            else:
                return None
    except (OSError, SafetensorError) as error:
        _note(store, path, str((error.strerror if isinstance(error, OSError) else None) or error))
        return None
    return _with_steps(store, trial, tensors) if "final" in tensors else None


def _points(parts: Mapping[str, Any], complain: Callable[[str], None]) -> Tensors:
    """At most MOST_NUMBERS of each set, and a landscape whose levels and extent are numbers."""
    tensors = {name: _some(parts[name]) for name in _sound(parts, POINTS, FLOATS, complain)}
    if "landscape" in tensors and "extent" in tensors:
        levels, (lower, upper) = tensors["landscape"], tensors["extent"]
        if (
            min(levels.shape) < 2
            or not np.isfinite(levels).any()
            or not (np.isfinite(upper - lower) & (lower < upper)).all()
        ):
            complain("its landscape is none: no grid of numbers, or of no extent")
            del tensors["landscape"]
    if not {"landscape", "extent"} <= tensors.keys():
        tensors = {name: tensor for name, tensor in tensors.items() if name not in ("landscape", "extent")}
    return tensors


def _images(parts: Mapping[str, Any], event: Shape, complain: Callable[[str], None]) -> Tensors:
    """At most the first SHOWN of each set."""
    sound = _sound(parts, {name: (*leading, *event) for name, leading in IMAGES.items()}, ("U8",), complain)
    tensors = {name: _head(parts[name], len(IMAGES[name])) for name in sound}
    if "neighbours" in tensors:
        measured = tuple(parts["neighbours"].get_shape())[:2]
        if list(_sound(parts, {DISTANCES: measured}, FLOATS, complain)):
            tensors[DISTANCES] = parts[DISTANCES][:]
    return tensors


def _rows(parts: Mapping[str, Any], complain: Callable[[str], None]) -> Tensors:
    """The same where what was generated are rows of pixels; nothing where their shape is none of an image."""
    if not list(_sound(parts, {IMAGE_SHAPE: (3,)}, INTEGERS, complain)):
        return {}
    event = tuple(parts[IMAGE_SHAPE][:].tolist())
    if event[0] not in CHANNELS or min(event) < 1:
        complain(f"{IMAGE_SHAPE} is {event}, which is no image's")
        return {}
    rows = {name: (*IMAGES[name], math.prod(event)) for name in GENERATED}
    generated = {name: _head(parts[name], len(IMAGES[name])) for name in _sound(parts, rows, FLOATS, complain)}
    others = {name: part for name, part in parts.items() if name not in GENERATED}
    return as_images({**_images(others, event, complain), **generated, IMAGE_SHAPE: event})


def as_images(tensors: Tensors) -> Tensors:
    """The tensors with rows of pixels on [−1, 1] as the nearest images of uint8, where they say of which shape."""
    if IMAGE_SHAPE not in tensors:
        return tensors
    shown = {name: tensor for name, tensor in tensors.items() if name != IMAGE_SHAPE}
    for name in GENERATED:
        if name in shown and shown[name].dtype.kind == "f":
            levels = np.clip(np.round((shown[name].astype(np.float32) + 1) * 127.5), 0, 255).astype(np.uint8)
            shown[name] = levels.reshape(*levels.shape[:-1], *tensors[IMAGE_SHAPE])
    return shown


def _some(part: Any) -> Any:
    """A tensor, or of a very long one the beginning."""
    sizes = part.get_shape()
    if math.prod(sizes) <= MOST_NUMBERS:
        return part[:]
    return part[: max(1, MOST_NUMBERS * sizes[0] // math.prod(sizes))]


def _head(part: Any, leading: int) -> Any:
    """The first images of each set in a tensor with so many dimensions before an image's own."""
    n = min(SHOWN, part.get_shape()[leading - 1])
    return part[:n] if leading == 1 else part[:, :n]


def _sound(
    parts: Mapping[str, Any], expected: Mapping[str, Shape], types: Sequence[str], complain: Callable[[str], None]
) -> list[str]:
    """The names among `expected` that are there, with a note on each that is of another shape or type, or empty."""
    sound = []
    for name, shape in expected.items():
        if name not in parts:
            continue
        sizes, dtype = tuple(parts[name].get_shape()), parts[name].get_dtype()
        fits = len(sizes) == len(shape) and all(a > 0 and b in (None, a) for a, b in zip(sizes, shape, strict=True))
        if fits and dtype in types:
            sound.append(name)
        else:
            wanted = ", ".join("any" if size is None else str(size) for size in shape)
            complain(f"{name} is {dtype} of shape {sizes}, not {' or '.join(types)} of shape ({wanted})")
    return sound


def _with_steps(store: Store, trial: Found, tensors: Tensors) -> Tensors:
    """The tensors with their strip's steps, which are the curve's; without the strip where the two don't fit."""
    strips = [name for name in ("strip", "ema.strip") if name in tensors]
    marks = curve(store, trial, CURVE) if strips else None
    steps = marks["steps"].to_numpy() if marks is not None else np.empty(0, int)
    for name in strips:
        if len(tensors[name]) != len(steps):
            if marks is not None:
                problem = f"{name} has {len(tensors[name])} checkpoints and the curve {len(steps)}"
                _note(store, trial.folder / SAMPLES, problem)
            del tensors[name]
    return {**tensors, "steps": steps}


def _note(store: Store, path: Path, problem: str) -> None:
    store.unreadable.append(Unreadable(path, problem.splitlines()[0]))
