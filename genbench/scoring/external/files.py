"""Arrays in files of five kinds, none of which can hold code: pickles are refused, not read. Imports no torch."""

from __future__ import annotations

import io
import warnings
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from genbench.errors import GenbenchError, UnknownName

Array = NDArray[Any]
Reader = Callable[[Path, str | None], Array]
"""Takes a file and the name of the array wanted, or None."""

MAGIC = b"\x93NUMPY"
NO_PICKLES = "Pickled objects are never loaded. Save numbers, say numpy.save(path, samples.astype('float32'))."


def reader(path: Path) -> Reader:
    """What reads a file, by its ending; raises GenbenchError for one that isn't known."""
    ending = path.suffix.lower()
    if ending not in ENDINGS:
        raise GenbenchError(
            f"{path} ends in {ending!r}, which can't be read. Give a file that ends in {', '.join(ENDINGS)}, "
            "or a folder or a .zip of images."
        )
    return ENDINGS[ending]


def read_npy(path: Path, key: str | None = None) -> Array:
    """The array of a `.npy` file."""
    _no_key(path, key)
    with _reading(path, "a .npy file"):
        with path.open("rb") as file:
            begins = file.read(len(MAGIC))
        if begins != MAGIC:
            raise ValueError(f"it doesn't begin as one. {NO_PICKLES}")
        return _plain(np.load(path, allow_pickle=False))


def read_npz(path: Path, key: str | None = None) -> Array:
    """One array of a `.npz` file; `key` names it where there are several."""
    with _reading(path, "a .npz file"):
        if not zipfile.is_zipfile(path):
            raise ValueError(f"it isn't a zip of arrays. {NO_PICKLES}")
        with np.load(path, allow_pickle=False) as arrays:
            return _plain(arrays[_chosen(path, arrays.files, key)])


def read_csv(path: Path, key: str | None = None) -> Array:
    """The rows of a `.csv` file: numbers between commas, after one line of column names or none.

    The names may be the numbers 0, 1, 2, …, as pandas writes them.
    """
    _no_key(path, key)
    with _reading(path, "a file of comma-separated numbers"), warnings.catch_warnings(action="error"):
        lines = path.read_text(encoding="utf-8-sig").splitlines()
        if lines and _is_heading(lines[0]):
            del lines[0]
        if not any(map(str.strip, lines)):
            raise _empty(path)
        return np.loadtxt(io.StringIO("\n".join(lines)), delimiter=",", ndmin=2, comments=None)


def read_parquet(path: Path, key: str | None = None) -> Array:
    """The columns of a `.parquet` file side by side, all of them numbers; a value that is missing becomes NaN."""
    import pyarrow as pa
    from pyarrow.parquet import ParquetFile

    _no_key(path, key)
    with _reading(path, "a .parquet file"), ParquetFile(path) as file:
        table = file.read()
    others = [f.name for f in table.schema if not (pa.types.is_floating(f.type) or pa.types.is_integer(f.type))]
    if others or not table.num_columns:
        raise GenbenchError(
            f"{path} has columns that hold no numbers: {', '.join(others) or 'none at all'}. "
            "Give one column a feature, and no other."
        )
    return np.stack([column.to_numpy() for column in table.columns], 1)


def read_safetensors(path: Path, key: str | None = None) -> Array:
    """One tensor of a `.safetensors` file; `key` names it where there are several."""
    from safetensors import SafetensorError, safe_open

    with _reading(path, "a .safetensors file"):
        try:
            with safe_open(path, framework="pt") as file:
                tensor = file.get_tensor(_chosen(path, list(file.keys()), key))
        except SafetensorError as error:
            raise ValueError(str(error)) from error
    narrow = tensor.is_floating_point() and tensor.element_size() < 4
    array: Array = (tensor.float() if narrow else tensor).numpy()  # numpy knows no bfloat16
    return array


ENDINGS: dict[str, Reader] = {
    ".npy": read_npy,
    ".npz": read_npz,
    ".csv": read_csv,
    ".parquet": read_parquet,
    ".safetensors": read_safetensors,
}


@contextmanager
def _reading(path: Path, kind: str) -> Iterator[None]:
    """Within, whatever is wrong with the file becomes a GenbenchError."""
    try:
        if not path.stat().st_size:
            raise _empty(path)
        yield
    except OSError as error:
        raise GenbenchError(f"{path} can't be read ({error.strerror or error}).") from error
    except MemoryError as error:
        raise GenbenchError(f"{path} doesn't fit into memory. Give fewer samples.") from error
    except (ValueError, EOFError, KeyError, RuntimeError, Warning, zipfile.BadZipFile, zlib.error) as error:
        if "allow_pickle" in str(error):
            raise GenbenchError(f"{path} holds objects, not numbers. {NO_PICKLES}") from error
        reason = " ".join(str(error).split()).rstrip(".")
        raise GenbenchError(f"{path} can't be read as {kind}: {reason}.") from error


def _empty(path: Path) -> GenbenchError:
    return GenbenchError(f"{path} is empty. Give a file that holds samples.")


def _chosen(path: Path, names: Sequence[str], key: str | None) -> str:
    if not names:
        raise GenbenchError(f"{path} holds no array.")
    if key is not None:
        if key not in names:
            raise UnknownName(f"array in {path}", key, names)
        return key
    if len(names) > 1:
        raise GenbenchError(f"{path} holds several arrays: {', '.join(sorted(names))}. Choose one: --key NAME")
    return names[0]


def _no_key(path: Path, key: str | None) -> None:
    if key is not None:
        raise GenbenchError(f"{path} holds a single array. Leave --key out.")


def _plain(loaded: Any) -> Array:
    """What numpy loaded, if that is an array: what else a .npz holds comes as bytes."""
    if not isinstance(loaded, np.ndarray):
        raise ValueError("it holds something that is no array")
    return loaded


def _is_heading(line: str) -> bool:
    """Whether a line names columns: none of it is a number, or it counts them."""
    fields = [field.strip().strip('"') for field in line.split(",")]
    return fields == [str(i) for i in range(len(fields))] or not any(map(_is_number, fields))


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
