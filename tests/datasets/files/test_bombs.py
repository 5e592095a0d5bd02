"""Files that are small and unpack to what no memory holds: refused by what they say of themselves."""

import os
import resource
import struct
import zipfile
import zlib

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from genbench import archives
from genbench.datasets.files.arrays import reader
from genbench.errors import GenbenchError
from genbench.scoring.external import read

MOST_GROWTH = 2 * 2**30
"""By so much the memory of the process may grow."""


@pytest.fixture(autouse=True)
def frugal():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    yield
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 - before < MOST_GROWTH


def header(shape):
    text = f"{{'descr': '<f8', 'fortran_order': False, 'shape': {shape}, }}".ljust(117) + "\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text.encode()


def refused(path):
    with pytest.raises(GenbenchError) as error:
        reader(path)(path, None)
    return str(error.value)


def test_an_array_that_is_longer_than_its_file(tmp_path):
    path = tmp_path / "mine.npy"
    path.write_bytes(header((2**40, 2)) + bytes(64))
    assert "would unpack to" in refused(path)


def test_a_member_of_twelve_gigabytes(tmp_path):
    path = tmp_path / "mine.npz"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("samples.npy", header((800_000_000, 2)) + bytes(2**20))
    assert "would unpack to" in refused(path)


def test_a_table_of_a_billion_rows(tmp_path):
    path = tmp_path / "mine.parquet"
    column = pa.array(np.zeros(2**22, np.int8))
    table = pa.table({"x": column, "y": column})
    with pq.ParquetWriter(path, table.schema, compression="zstd") as writer:
        for _ in range(64):
            writer.write_table(table)
    assert "would unpack to" in refused(path)


def test_an_archive_whose_list_would_fill_the_memory(tmp_path):
    path = tmp_path / "many.zip"
    with zipfile.ZipFile(path, "w") as file:
        for i in range(1000):
            file.writestr(str(i), "")
    with pytest.raises(zipfile.BadZipFile, match="its list of files"):
        archives.opened(path, 10)
    assert len(archives.opened(path, 1000).namelist()) == 1000


def png(width, height):
    """A black image in grey, which packs a thousandfold."""

    def chunk(kind, content):
        return struct.pack(">L", len(content)) + kind + content + struct.pack(">L", zlib.crc32(kind + content))

    rows = zlib.compress(bytes(width + 1) * height, 9)
    ihdr = struct.pack(">LLBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", ihdr) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def test_long_images_cost_one_of_them_at_a_time(tmp_path):
    """A view of the square that is kept would keep each whole: of forty such 3.5 GB, in colour three times that."""
    content = png(250, 350_000)
    for i in range(40):
        (tmp_path / f"{i}.png").write_bytes(content)
    samples = read(tmp_path, (1, 32, 32))
    assert samples.values.shape == (40, 1, 32, 32)


def test_an_image_of_more_pixels_than_any_has(tmp_path):
    (tmp_path / "0.png").write_bytes(png(30_000, 30_000))
    with pytest.raises(GenbenchError, match="can't be used"):
        read(tmp_path, (1, 32, 32))


@pytest.mark.parametrize("ending", [".npy", ".npz", ".csv", ".parquet", ".safetensors"])
def test_a_pipe_is_not_waited_for(ending, tmp_path):

    os.mkfifo(tmp_path / f"mine{ending}")
    assert "not a regular file" in refused(tmp_path / f"mine{ending}")
