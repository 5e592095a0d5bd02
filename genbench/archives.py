"""Zip files of anyone's, opened only where the list of what is in them is one that people make."""

from __future__ import annotations

import struct
import zipfile
from pathlib import Path
from typing import BinaryIO

ENTRY_BYTES = 512
"""A generous mean of what an archive says of each file in it."""

END, FAR_END, FAR_POINTER = b"PK\x05\x06", b"PK\x06\x06", b"PK\x06\x07"
"""How the ends of lists begin, and what points to the end of a long one. (PKWARE's APPNOTE, 4.3.14 to 4.3.16)"""

END_BYTES, FAR_END_BYTES, FAR_POINTER_BYTES = 22, 56, 20
COMMENT_BYTES = 2**16


def opened(path: Path, most: int) -> zipfile.ZipFile:
    """An archive of up to about `most` files.

    Raises BadZipFile for one whose list alone would fill the memory, or has files without a name, and for what is no
    file, as a pipe.
    """
    if not path.is_file():
        raise zipfile.BadZipFile("it is not a regular file")
    with path.open("rb") as file:
        size = _list_bytes(file)
    if size > most * ENTRY_BYTES:
        raise zipfile.BadZipFile(f"its list of files takes {size >> 20} MiB")
    archive = zipfile.ZipFile(path)
    if not all(archive.namelist()):  # of which Python can't tell whether it is a folder
        archive.close()
        raise zipfile.BadZipFile("a file in it has no name")
    return archive


def _list_bytes(file: BinaryIO) -> int:
    """How long an archive says its list of files is, 0 where it has none."""
    length = file.seek(0, 2)
    file.seek(max(0, length - END_BYTES - COMMENT_BYTES - FAR_POINTER_BYTES - FAR_END_BYTES))
    tail = file.read()
    end = tail.rfind(END)
    if end < 0 or len(tail) < end + END_BYTES:
        return 0
    (size,) = struct.unpack_from("<L", tail, end + 12)
    far = end - FAR_POINTER_BYTES - FAR_END_BYTES
    if far >= 0 and tail[end - FAR_POINTER_BYTES :].startswith(FAR_POINTER) and tail[far:].startswith(FAR_END):
        (size,) = struct.unpack_from("<Q", tail, far + 40)
    return int(size)
