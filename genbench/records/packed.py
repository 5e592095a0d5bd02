"""A suite's results in one file: `<results>/<suite>.zip` holds what `<results>/<suite>/` does, and is read like it.

Equal results make equal bytes. Whoever wants to go on with a packed suite unzips it.
"""

from __future__ import annotations

import atexit
import lzma
import shutil
import tempfile
import zipfile
import zlib
from functools import cache
from pathlib import Path, PurePosixPath

from genbench import archives
from genbench.errors import GenbenchError
from genbench.records import process
from genbench.records.atomic import UNFINISHED

SUFFIX = ".zip"
EPOCH = (1980, 1, 1, 0, 0, 0)
"""The time of every file in an archive."""

MOST_FILES, MOST_BYTES = 60_000, 4 * 2**30
"""More than so much no archive is unpacked to."""

ODD = (zipfile.BadZipFile, zlib.error, lzma.LZMAError, OSError, EOFError, ValueError, NotImplementedError, RuntimeError)
"""All that zipfile raises for what it can't read: damage, encryption, methods of other programs, odd names."""


def write(archive: Path, folder: Path, left_out: frozenset[Path] = frozenset()) -> int:
    """Packs a folder, but for hidden files, links and some others, and returns the archive's size; raises OSError.

    The archive is there whole or not at all.
    """
    temporary = archive.with_name(f".{archive.name}.{process.here()}{UNFINISHED}")
    temporary.unlink(missing_ok=True)
    try:
        with zipfile.ZipFile(temporary, "x", zipfile.ZIP_DEFLATED, compresslevel=9) as packed:
            for path in sorted(path for path in folder.rglob("[!.]*") if _is_own(path) and path not in left_out):
                entry = zipfile.ZipInfo(path.relative_to(folder.parent).as_posix(), EPOCH)
                entry.compress_type, entry.external_attr = zipfile.ZIP_DEFLATED, 0o644 << 16
                packed.writestr(entry, path.read_bytes())
        temporary.replace(archive)
    finally:
        temporary.unlink(missing_ok=True)
    return archive.stat().st_size


def _is_own(path: Path) -> bool:
    """Whether it is a file that lies there itself."""
    return path.is_file() and not path.is_symlink()


def is_of(archive: Path, suite: str, member: str) -> bool:
    """Whether a file is an archive of a suite: one that holds its `member`."""
    try:
        with archives.opened(archive, MOST_FILES) as packed:
            return f"{suite}/{member}" in packed.namelist()
    except ODD:
        return False


def unpacked(archive: Path) -> Path:
    """The folder that an archive was packed from, made anew for this process and removed at its end.

    Raises GenbenchError for what `write` wouldn't have made: damaged, too large, or with names that lead elsewhere.
    """
    stat = archive.stat()
    return _unpacked(archive.absolute(), stat.st_mtime_ns, stat.st_size)


@cache
def _unpacked(archive: Path, _changed: int, _size: int) -> Path:
    try:
        with archives.opened(archive, MOST_FILES) as packed:
            files = _checked(packed, archive)
            home = Path(tempfile.mkdtemp(prefix="genbench-"))
            atexit.register(shutil.rmtree, home, ignore_errors=True)
            for entry in files:
                path = home / entry.filename
                path.parent.mkdir(parents=True, exist_ok=True)
                with packed.open(entry) as content, path.open("xb") as file:
                    shutil.copyfileobj(content, file)
    except ODD as error:
        raise GenbenchError(f"{archive} can't be unpacked: {error}") from None
    return home / archive.name.removesuffix(SUFFIX)


def _checked(packed: zipfile.ZipFile, archive: Path) -> list[zipfile.ZipInfo]:
    """The files of an archive; raises GenbenchError, before the first is read, for those that don't belong there."""
    files = [entry for entry in packed.infolist() if not entry.is_dir()]
    if sum(entry.file_size for entry in files) > MOST_BYTES:
        raise GenbenchError(f"{archive} would unpack to more than {MOST_BYTES >> 30} GiB.")
    suite = archive.name.removesuffix(SUFFIX)
    for entry in files:
        path = PurePosixPath(entry.filename)
        if path.parts[:1] != (suite,) or ".." in path.parts or "\\" in entry.filename or len(path.parts) < 2:
            raise GenbenchError(f"{archive} holds {entry.filename!r}, which doesn't belong to {suite}.")
    return files
