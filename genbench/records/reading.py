"""Reading what lies in a results folder, which anyone may have made: whatever it is, it costs little and runs nothing.

Files are regular ones of a bounded size, their texts can be printed, and their numbers can be computed with.
"""

from __future__ import annotations

import errno
import hashlib
import io
import json
import os
import re
import stat
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn

if TYPE_CHECKING:
    import pyarrow as pa

MOST_BYTES = 64 * 2**20
"""The largest file of JSON or of a table that is read."""

MOST_TENSOR_BYTES = 4 * 2**30
"""The largest file of samples or weights: its parts are read as they are wanted."""

MOST_COLUMNS, MOST_NUMBERS = 1_000, 10_000_000
"""Of a table, which unpacks to far more than its file's size."""

CODECS = {"SNAPPY", "UNCOMPRESSED"}
"""Tables are compressed by these, of which nothing unpacks to more than some twenty times its size."""

MOST_LETTERS = 20_000
"""Of a text, whose end is cut off; a traceback of many frames is shorter."""

UNPRINTABLE = re.compile(
    rb"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]|\xc2[\x80-\x9f]|\xd8\x9c|\xe2\x80[\x8e\x8f\xa8-\xae]|\xe2\x81[\xa6-\xa9]|\\[bfru]"
)
"""In a file's bytes, what some text in it may have that a terminal obeys; few files have any."""

TOLD = (b"\\", b"\x7f", b"NaN", b"Infinity")
"""In bytes of JSON, what may stand for something that is none, or can't be printed."""

ALL_DIGITS_ALIKE, MANY_DIGITS = bytes.maketrans(b"123456789", b"0" * 9), b"0" * 100
"""By these a number of very many digits is found."""

CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")
"""Letters that terminals obey rather than show, but for the ends of lines and tabulators."""

BLOCK = 2**20


class Version(NamedTuple):
    """Which version of a file it is: of equal ones the content is the same."""

    inode: int
    changed: int


def version(path: Path) -> Version | None:
    """Which version of a file lies there; None where there is none."""
    try:
        stat = path.stat()
    except OSError:
        return None
    return Version(stat.st_ino, stat.st_mtime_ns)


def content(path: Path, most: int = MOST_BYTES) -> bytes:
    """The bytes of a file; raises OSError where there is none, or what lies there is none or is larger than `most`."""
    with _opened(path, most) as file:
        return file.read(os.fstat(file.fileno()).st_size)


def check(path: Path, sha256: str | None = None, most: int = MOST_TENSOR_BYTES) -> None:
    """Raises OSError where no file lies there, or one that is too large or, where it is known, not of this hash."""
    with _opened(path, most) as file:
        if sha256 is None:
            return
        digest = hashlib.sha256()
        while block := file.read(BLOCK):
            digest.update(block)
    if digest.hexdigest() != sha256:
        _refuse(path, "not what the record beside it names: it was changed or damaged")


def payload(path: Path) -> Any:
    """What a file of JSON says, its texts fit to be printed.

    Raises OSError where it can't be read, and ValueError or RecursionError where it isn't JSON, or has numbers that are
    none.
    """
    return parsed(content(path))


def parsed(raw: bytes) -> Any:
    """What bytes of JSON say, like `payload`."""
    read = json.loads(raw, parse_constant=_no_number)
    return _legible(read) if _has_long(raw) or UNPRINTABLE.search(raw) else read


def is_plain(raw: bytes) -> bool:
    """Whether bytes of JSON are told at a glance to hold nothing that `parsed` would refuse or write otherwise."""
    # In JSON there is none of the other characters that can't be printed but where a backslash begins its name.
    told = any(part[:1] in raw and part in raw for part in TOLD)  # a letter is found far sooner than a word
    return raw.isascii() and not told and MANY_DIGITS not in raw.translate(ALL_DIGITS_ALIKE) and not _has_long(raw)


def _has_long(raw: bytes) -> bool:
    """Whether some text is so long that its end is cut off."""
    return len(raw) > MOST_LETTERS and max(map(len, raw.split(b'"'))) > MOST_LETTERS


def table(path: Path, sha256: str | None = None) -> pa.Table:
    """A file of parquet, of columns of numbers alone, whose names differ.

    Raises OSError where it can't be read, is not of this hash, or would unpack to more than anyone has measured, and
    ValueError where it is damaged.
    """
    import pyarrow as pa
    from pyarrow.parquet import ParquetFile

    raw = content(path)
    if sha256 is not None and hashlib.sha256(raw).hexdigest() != sha256:
        _refuse(path, "not what the record beside it names: it was changed or damaged")
    with ParquetFile(io.BytesIO(raw)) as file:
        about, schema = file.metadata, file.schema_arrow
        groups = (about.row_group(i) for i in range(about.num_row_groups))
        if not {group.column(i).compression for group in groups for i in range(group.num_columns)} <= CODECS:
            _refuse(path, "compressed in another way than genbench's tables are")
        if about.num_columns > MOST_COLUMNS or about.num_columns * about.num_rows > MOST_NUMBERS:
            _refuse(path, f"a table of {about.num_rows} rows and {about.num_columns} columns, which is too large")
        if len(set(schema.names)) < len(schema.names):
            _refuse(path, "some of its columns have the same name")
        numbers = [
            field.name for field in schema if pa.types.is_integer(field.type) or pa.types.is_floating(field.type)
        ]
        return file.read(numbers)


def text(given: str) -> str:
    """A text with what terminals obey written as numbers, and its end cut off where it is very long."""
    whole = given if len(given) <= MOST_LETTERS else f"{given[:MOST_LETTERS]} …"
    shown = CONTROLS.sub(lambda match: match[0].encode("unicode_escape").decode(), whole)
    return shown.encode("utf-8", "backslashreplace").decode()


def _legible(read: Any) -> Any:
    """The same with every text in it fit to be printed."""
    match read:
        case str():
            return text(read)
        case list():
            return [_legible(each) for each in read]
        case dict():
            return {text(key): _legible(value) for key, value in read.items()}
    return read


def _opened(path: Path, most: int) -> io.BufferedReader:
    """A regular file that is not too large; nothing waits for a pipe's other end, or asks a device."""
    if not path.is_file():  # which opening might wait for, or set off
        if path.exists() or path.is_symlink():
            _refuse(path, "not a regular file")
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(path))
    file = os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb")
    about = os.fstat(file.fileno())
    if not stat.S_ISREG(about.st_mode) or about.st_size > most:
        file.close()
        _refuse(path, f"larger than {most >> 20} MiB" if stat.S_ISREG(about.st_mode) else "not a regular file")
    return file


def _no_number(word: str) -> NoReturn:
    raise ValueError(f"{word} is no number")


def _refuse(path: Path, why: str) -> NoReturn:
    raise OSError(errno.EINVAL, why, str(path))
