"""Feeds damaged files to everything that reads what anyone may have made, and counts them.

`python tests/fuzz/fuzz.py --seconds 600 records scores` takes sound files, changes them at random in some places, and
has the reader read each. It must say what is wrong, or read it: any other error, more than `MOST_SECONDS` of the
processor and more than `MOST_MEMORY` end the run and leave the input behind.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import json
import random
import resource
import signal
import sys
import tempfile
import time
import warnings
import zipfile
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

sys.path.insert(0, str(Path(__file__).parents[1] / "helpers"))

import malice
import numpy as np

from genbench.datasets.digits import MNIST, Squares
from genbench.datasets.files.stock import silent
from genbench.errors import GenbenchError
from genbench.records import beats, layout, packed
from genbench.records.record import ControlScores, External, Record, Scores
from genbench.records.store import Store
from genbench.spec import Suite

MOST_SECONDS, PATIENCE_SECONDS, MOST_MEMORY = 10, 120, 6 * 2**30

INTERESTING = (
    b"\x00", b"\xff", b"\x7f", b"\x80", b"\n", b'"', b"{", b"}", b"[", b"]", b"-", b"9" * 400, b"1e999", b"NaN",
    b"\\ud800", b"null", b"\xff\xff\xff\xff", b"\x00\x00\x00\x80", b"\x1b[2J", b"../", b"<b>",
)  # fmt: skip


IDX = {
    "train-images-idx3-ubyte": bytes([0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, 3, *range(18)]),
    "train-labels-idx1-ubyte": bytes([0, 0, 8, 1, 0, 0, 0, 2, 7, 4]),
}
"""Two images of three by three pixels, and what they show."""


class Target(NamedTuple):
    """A reader and what it is fed: sound files, and what takes the bytes of a damaged one and may refuse them."""

    seeds: list[bytes]
    read: Callable[[bytes], object]


def damaged(content: bytes, rng: random.Random) -> bytes:
    """Content with up to a few changes: bytes flipped, removed, repeated, replaced by odd ones, or cut off."""
    data = bytearray(content)
    for _ in range(rng.choice((1, 1, 1, 2, 3, 8))):
        at = rng.randrange(len(data) + 1)
        match rng.randrange(6):
            case 0 if data:
                data[at % len(data)] ^= 1 << rng.randrange(8)
            case 1:
                del data[at : at + rng.randrange(1, 40)]
            case 2:
                data[at:at] = data[at : at + rng.randrange(1, 40)]
            case 3:
                odd = rng.choice(INTERESTING)
                data[at : at + rng.choice((0, len(odd)))] = odd
            case 4:
                del data[at:]
            case _:
                data[at : at + 4] = rng.randbytes(4)
    return bytes(data)


def targets(folder: Path) -> dict[str, Target]:
    """Every reader by its name; files are written below a folder."""
    root = folder / "results"
    root.mkdir(parents=True)
    trial = malice.results(root)
    here = Store(root)
    found = here.trial(trial)
    bare = found._replace(record=found.record.model_copy(update={"files": {}}))
    path = folder / "damaged"

    def stored(model: Callable[[Any], Any], content: bytes) -> None:
        """As the store reads: it never raises, and notes what it can't read."""
        path.write_bytes(content)
        here._known.clear()
        here.unreadable.clear()
        read = here._read(path, model)
        assert read is not None or here.unreadable

    def of_trial(name: str, read: Callable[[], object], content: bytes) -> None:
        (trial / name).write_bytes(content)
        here.unreadable.clear()
        read()

    def array(ending: str, content: bytes) -> None:
        from genbench.datasets.files.arrays import reader

        file = folder / f"samples{ending}"
        file.write_bytes(content)
        reader(file)(file, None)

    def archive(content: bytes) -> None:
        file = root / "packed.zip"
        file.write_bytes(content)
        with tempfile.TemporaryDirectory() as into:
            tempfile.tempdir = into
            try:
                packed._unpacked.__wrapped__(file, 0, 0)
            finally:
                tempfile.tempdir = None

    def image(content: bytes) -> None:
        from PIL.Image import DecompressionBombWarning

        from genbench.datasets.files.decoding import decoded
        from genbench.datasets.files.transforms import Transform

        try:
            with warnings.catch_warnings():  # as decode_all does
                warnings.simplefilter("ignore")
                warnings.simplefilter("error", DecompressionBombWarning)
                decoded(content, Transform(32, "RGB"))
        except Exception as error:  # what decode_all takes from a decoder
            raise GenbenchError(str(error)) from error

    def idx(content: bytes) -> None:
        for name, sound in IDX.items():
            (folder / name).write_bytes(content if sound[3:4] == content[3:4] else sound)
        squares.check(silent)
        squares._read()

    def of_run(content: bytes) -> None:
        beats.path_of(root, "0").write_bytes(content)
        for beat in beats.read(root):
            assert isinstance(beat.is_silent, bool)

    from genbench.report.figures import stored as figures

    class Here(Squares):
        where = folder  # type: ignore[assignment]

    squares = Here(replace(MNIST, files={name: hashlib.md5(of).hexdigest() for name, of in IDX.items()}), 28)
    beat = beats.Beat(run="0", suite="made-up", command="genbench run", started=1.0, written=2.0, total=3)
    record, scores = (trial / layout.RECORD).read_bytes(), (trial / layout.SCORES).read_bytes()
    plan = (root / "made-up" / layout.PLAN).read_bytes()
    (controls,) = (each.read_bytes() for each in root.glob(f"*/*/{layout.CONTROLS}"))
    external = json.dumps({"schema_version": 3, "name": "mine", "dataset": json.loads(record)["trial"]["dataset"],
                           "source": "x.npy", "n": 3, "samples_sha256": "0", "scores": []}).encode()  # fmt: skip
    points = np.arange(12, dtype=np.float32).reshape(6, 2)
    return {
        "records": Target([record], partial(stored, Record)),
        "scores": Target([scores], partial(stored, Scores)),
        "controls": Target([controls], partial(stored, ControlScores)),
        "externals": Target([external], partial(stored, External)),
        "plans": Target([plan], partial(stored, Suite)),
        "curves": Target(
            [(trial / layout.CURVE).read_bytes()],
            partial(of_trial, layout.CURVE, lambda: figures.curve(here, bare, layout.CURVE)),
        ),
        "samples": Target(
            [(trial / layout.SAMPLES).read_bytes()],
            partial(of_trial, layout.SAMPLES, lambda: figures.samples(here, bare)),
        ),
        "archives": Target([_archive(root)], archive),
        "npy": Target([_npy(points)], partial(array, ".npy")),
        "npz": Target([_npz(points)], partial(array, ".npz")),
        "csv": Target([b"x,y\n1,2\n3.5,-4e-3\n", b"0.5,1\n2,NA\n"], partial(array, ".csv")),
        "parquet": Target([(trial / layout.CURVE).read_bytes()], partial(array, ".parquet")),
        "safetensors": Target([_tensors(points)], partial(array, ".safetensors")),
        "images": Target(_images(), image),
        "idx": Target([*IDX.values()], idx),
        "beats": Target([beat.model_dump_json().encode()], of_run),
    }


def _archive(root: Path) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as file:
        for each in sorted((root / "made-up").rglob("*.json"))[:4]:
            file.write(each, f"packed/{each.relative_to(root / 'made-up')}")
    return buffer.getvalue()


def _npy(points: Any) -> bytes:
    buffer = io.BytesIO()
    np.lib.format.write_array(buffer, points, allow_pickle=False)
    return buffer.getvalue()


def _npz(points: Any) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("samples.npy", _npy(points))
    return buffer.getvalue()


def _tensors(points: Any) -> bytes:
    from safetensors.numpy import save

    return save({"samples": points})


def _images() -> list[bytes]:
    from PIL import Image

    made = []
    for kind in ("PNG", "JPEG", "BMP", "GIF", "WEBP", "TIFF", "PPM"):
        buffer = io.BytesIO()
        Image.fromarray(np.arange(48, dtype=np.uint8).reshape(4, 4, 3)).save(buffer, kind)
        made.append(buffer.getvalue())
    return made


def fuzz(
    name: str, target: Target, *, seconds: float = float("inf"), inputs: float = float("inf"), seed: int = 0
) -> Counter[str]:
    """Feeds a reader until the time is up or so many inputs are through; how many it read, and how many it refused."""
    rng = random.Random(f"{name} {seed}")
    counted: Counter[str] = Counter()
    until = time.monotonic() + seconds
    with Path(f"crash-{name}").open("w+b", buffering=0) as last:
        while time.monotonic() < until and counted.total() < inputs:
            content = damaged(rng.choice(target.seeds), rng)
            last.seek(0)
            last.truncate()
            last.write(content)
            # Either ends the process, and leaves the input behind.
            signal.setitimer(signal.ITIMER_PROF, MOST_SECONDS)
            signal.alarm(PATIENCE_SECONDS)
            try:
                target.read(content)
            except GenbenchError as error:
                assert str(error).strip(), "an error without a word"
                counted["refused"] += 1
            else:
                counted["read"] += 1
            finally:
                signal.setitimer(signal.ITIMER_PROF, 0)
                signal.alarm(0)
    Path(f"crash-{name}").unlink()
    return counted


def main() -> None:
    asked = argparse.ArgumentParser()
    asked.add_argument("readers", nargs="*")
    asked.add_argument("--seconds", type=float, default=600.0)
    asked.add_argument("--seed", type=int, default=0)
    given = asked.parse_args()
    with tempfile.TemporaryDirectory(dir="/dev/shm" if Path("/dev/shm").is_dir() else None) as folder:
        known = targets(Path(folder))
        for name in given.readers or known:
            before = time.process_time()
            counted = fuzz(name, known[name], seconds=given.seconds, seed=given.seed)
            took = time.process_time() - before
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
            told = f"{counted.total():,} inputs, {counted['refused']:,} refused, {took:.0f} s of the processor"
            print(f"{name}: {told}, {peak:.2f} GiB", flush=True)


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))
    main()
