"""Images: drawing from the decode-once cache against decoding at every draw, and filling the cache against its parts.

`reference_ratio` is the time of a torch DataLoader with two workers that decode, crop, resize and normalise over the
time of a draw from memory; and, where the cache is filled, the time in which two processes that do nothing else decode
the same JPEGs over the time of filling it. `resized_ratio` is the same against processes that also crop and resize.
Both need CelebA in GENBENCH_DATA.
"""

import io
import multiprocessing
import os
import shutil
import statistics
import time
from itertools import count

import pytest
from PIL import Image
from preparing import Decoded, decode

from genbench import seeding
from genbench.datasets import faces
from genbench.datasets.files.stock import silent
from genbench.registry import datasets

BATCH, BATCHES, PROCESSES, ROUNDS = 128, 30, 2, 9
IMAGES = 10_000
NAME = "celeba[size=64]"

pytestmark = pytest.mark.skipif(not os.environ.get("GENBENCH_DATA"), reason="GENBENCH_DATA is not set")


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("GENBENCH_CACHE", str(tmp_path / "cache"))


def members():
    """CelebA's zip, the names in it, and the centre of its images."""
    stock = faces.stock(size=64, crop=148)
    source = stock.source
    first = Image.open(io.BytesIO(source.read(source.names[0])))
    names = [image.inside for image in source.listed[:IMAGES]]
    left, top, side = stock.transform.square(*first.size)
    return stock.where, names, (left, top, left + side, top + side)


def test_drawing(benchmark):
    import torch

    images, rng = datasets.build(NAME).train, seeding.stream(0, "benchmark")
    images.sample(IMAGES, rng)  # as in training, where the pixels are in memory after the first pass
    loader = torch.utils.data.DataLoader(
        Decoded(*members()), BATCH, shuffle=True, num_workers=PROCESSES, drop_last=True, generator=rng
    )
    batches = iter(loader)
    next(batches)
    started = time.perf_counter()
    for _ in range(BATCHES):
        next(batches)
    reference = (time.perf_counter() - started) / BATCHES
    benchmark(images.sample, BATCH, rng)
    note(benchmark, f"drawing {BATCH} images of 64 × 64", benchmark.stats.stats.median, reference)


def test_filling_the_cache(benchmark, tmp_path):
    """The reference reads the files beforehand and starts no clock before its processes are ready."""
    numbers = count()

    def fill():
        os.environ["GENBENCH_CACHE"] = str(tmp_path / f"cache-{next(numbers)}")
        stock = faces.stock(size=64, crop=148)
        assert len(stock.prepare(silent).pixels) >= 1_000
        shutil.rmtree(os.environ["GENBENCH_CACHE"])

    plain, resized = [], []

    def references():
        plain.append(seconds_to_decode(*members(), resize=False))
        resized.append(seconds_to_decode(*members(), resize=True))

    benchmark.pedantic(fill, setup=references, rounds=ROUNDS)
    seconds = benchmark.stats.stats.median
    note(benchmark, "filling the cache", seconds, statistics.median(plain))
    benchmark.extra_info["resized_ratio"] = statistics.median(resized) / seconds


def note(benchmark, group, seconds, reference):
    benchmark.group = group
    benchmark.extra_info.update(
        entry=group, seconds=seconds, reference_seconds=reference, reference_ratio=reference / seconds
    )


def seconds_to_decode(path, names, box, resize):
    """How long two processes take to decode all images, and perhaps to crop and resize them."""
    context = multiprocessing.get_context("spawn")
    ready, spans = context.Barrier(PROCESSES), context.SimpleQueue()
    shares = [names[i::PROCESSES] for i in range(PROCESSES)]
    workers = [context.Process(target=decode, args=(path, share, box, resize, ready, spans)) for share in shares]
    for worker in workers:
        worker.start()
    found = [spans.get() for _ in workers]
    for worker in workers:
        worker.join()
    return max(ended for _, ended in found) - min(started for started, _ in found)
