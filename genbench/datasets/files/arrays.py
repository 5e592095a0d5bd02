"""Numbers in files of five kinds, none of which can hold code: pickles are refused, not read. Imports no torch.

Samples to be scored and centres of mixtures are read alike.
"""

from __future__ import annotations

import math
import re
import warnings
import zipfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from genbench import archives
from genbench.errors import GenbenchError, UnknownName

Array = NDArray[Any]
Reader = Callable[[Path, str | None], Array]
"""Takes a file and the name of the array wanted, or None."""

MAGIC = b"\x93NUMPY"
MISSING = {"", "NA", "N/A", "#N/A", "<NA>", "NULL", "null", "None"}
"""What a cell without a number says, as programs write it."""

INDEX_NAMES = ("", "Unnamed: 0", "index", "id")
"""What a first column is called that counts the rows: by pandas without a name, with one, and by people."""

WHOLE = re.compile(r"[+-]?\d+")
FEW_ROWS = 100
"""Among fewer rows a line that counts the columns may as well be one of them."""

MOST_BYTES, MOST_TIMES = 2**30, 100
"""A file unpacks to a gigabyte at the most, or to so many times its own size."""

MOST_ARRAYS = 10_000
"""Of a .npz file."""

NUMBER_BYTES = 8
"""The widest that columns of numbers have."""

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
        return _array(path, lambda: path.open("rb"))


def read_npz(path: Path, key: str | None = None) -> Array:
    """One array of a `.npz` file; `key` names it where there are several."""
    with _reading(path, "a .npz file"):
        if not zipfile.is_zipfile(path):
            raise ValueError(f"it isn't a zip of arrays. {NO_PICKLES}")
        with archives.opened(path, MOST_ARRAYS) as members:
            names = {name.removesuffix(".npy"): name for name in members.namelist()}
            return _array(path, partial(members.open, names[_chosen(path, list(names), key)]))


def read_csv(path: Path, key: str | None = None) -> Array:
    """The rows of a `.csv` file: numbers between commas, after one line of column names or none.

    A cell that is empty, or says that it is missing, is NaN. A first column without a name among names is an index, as
    pandas writes one, and left out; names may be the numbers from 0 or 1 on, which are told from data by what follows.
    """
    _no_key(path, key)
    with _reading(path, "a file of comma-separated numbers"), warnings.catch_warnings(action="error"):
        lines = list(filter(str.strip, _text(path).splitlines()))
        names = _cells(lines[0]) if lines else []
        if _is_heading(names, lines[1:]):
            del lines[0]
        else:
            names = []
        if not lines:
            raise _empty(path)
        if other := next((mark for mark in ";\t|" if mark in lines[0] and "," not in lines[0]), None):
            raise ValueError(f"its cells lie between {other!r}. Write commas")
        rows = np.loadtxt(lines, delimiter=",", ndmin=2, comments=None, quotechar='"', converters=_number)
        return _without_index(names, rows)


def read_parquet(path: Path, key: str | None = None) -> Array:
    """The columns of a `.parquet` file side by side, all of them numbers; a value that is missing becomes NaN.

    A data frame's index, which pandas keeps as a column, is none of them.
    """
    import pyarrow as pa
    from pyarrow.parquet import ParquetFile

    _no_key(path, key)
    with _reading(path, "a .parquet file"), ParquetFile(path) as file:
        _check_size(path, file.metadata.num_rows * file.metadata.num_columns * NUMBER_BYTES)
        table = file.read()
        index = [name for name in (table.schema.pandas_metadata or {}).get("index_columns", ()) if type(name) is str]
        table = table.drop_columns([name for name in index if name in table.column_names])
    others = [f.name for f in table.schema if not (pa.types.is_floating(f.type) or pa.types.is_integer(f.type))]
    if others or not table.num_columns:
        raise GenbenchError(
            f"{path} has columns that hold no numbers: {', '.join(others) or 'none at all'}. "
            "Give one column a feature, and no other."
        )
    return _without_index(table.column_names, np.stack([column.to_numpy() for column in table.columns], 1))


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
        if not path.is_file():  # a pipe, say, whose other end may never write
            raise GenbenchError(f"{path} is not a regular file. Write the samples to one.")
        if not path.stat().st_size:
            raise _empty(path)
        yield
    except GenbenchError:
        raise
    except OSError as error:
        raise GenbenchError(f"{path} can't be read ({error.strerror or error}).") from error
    except MemoryError as error:
        raise GenbenchError(f"{path} doesn't fit into memory. Give fewer samples.") from error
    except Exception as error:  # numpy parses a header as Python, so that a damaged one raises what a parser may
        if "allow_pickle" in str(error):
            raise GenbenchError(f"{path} holds objects, not numbers. {NO_PICKLES}") from error
        reason = " ".join(str(error).split()).rstrip(".")
        raise GenbenchError(f"{path} can't be read as {kind}: {reason}.") from error


def _check_size(path: Path, unpacked: int) -> None:
    """Raises GenbenchError for a small file that says of itself that it would fill the memory."""
    if unpacked > max(MOST_BYTES, MOST_TIMES * path.stat().st_size):
        raise GenbenchError(
            f"{path} is a file of {path.stat().st_size:,} bytes and would unpack to {unpacked >> 20:,} MiB. "
            "Give fewer samples, or a .npy file, which holds each number as it is."
        )


def _array(path: Path, opened: Callable[[], IO[bytes]]) -> Array:
    """The array in what is opened, which says first how large it is."""
    with opened() as file:
        if file.read(len(MAGIC)) != MAGIC:
            raise ValueError(f"it holds no array, or doesn't begin as one. {NO_PICKLES}")
        major, minor = file.read(2)
        short = (major, minor) == (1, 0)
        header = np.lib.format.read_array_header_1_0 if short else np.lib.format.read_array_header_2_0
        shape, _, dtype = header(file)
    _check_size(path, math.prod(shape) * dtype.itemsize)
    with opened() as file:
        array: Array = np.lib.format.read_array(file, allow_pickle=False)
        return array


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


def _without_index(names: Sequence[str], rows: Array) -> Array:
    """The columns without a first one that is called as an index is, and counts as one does."""
    indexed = len(names) > 1 and names[0] in INDEX_NAMES and not (rows[:, 0] % 1).any()
    return rows[:, 1:] if indexed else rows


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError("it isn't text in UTF-8. Save it so") from error


def _cells(line: str) -> list[str]:
    return [field.strip().strip('"').strip() for field in line.lstrip("#").split(",")]


def _is_heading(cells: Sequence[str], rest: Sequence[str]) -> bool:
    """Whether the first line names columns, before the `rest`: it says something, and nothing in it is a number.

    Numbers that count the columns name them where what follows isn't whole, or after the empty name of an index; raises
    ValueError where nobody can tell.
    """
    if len(cells) > 1 and cells[0] in INDEX_NAMES and _counts(cells[1:]):
        return all(_cells(line)[0].isdecimal() for line in rest)
    if not _counts(cells):
        return any(cell not in MISSING for cell in cells) and not any(map(_is_number, cells))
    fractions = [not all(map(WHOLE.fullmatch, _cells(line))) for line in rest]
    if rest and (len(rest) < FEW_ROWS or not any(fractions)):
        line = ",".join(cells)
        raise ValueError(
            f"its first line, {line}, may be names or numbers; write {','.join(f'{c}.0' for c in cells)}, or names"
        )
    return 2 * sum(fractions) > len(rest)


def _counts(cells: Sequence[str]) -> bool:
    """Whether the cells count themselves, from 0 or 1 on."""
    return list(cells) in [[str(i + first) for i in range(len(cells))] for first in (0, 1)]


def _is_number(cell: str) -> bool:
    try:
        _number(cell)
    except ValueError:
        return False
    return cell not in MISSING


def _number(cell: str) -> float:
    if "_" in cell:  # which Python takes for a mark between digits
        raise ValueError(f"{cell!r} is no number")
    return float("nan") if cell.strip() in MISSING else float(cell)
