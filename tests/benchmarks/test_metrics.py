"""What scoring costs: each metric at growing numbers of samples, and the Fréchet distance against torchmetrics'.

`seconds` and `peak_bytes` are of one `compute`; their growth from entry to entry is what to look at.
"""

import ctypes
import gc
import os
import statistics
import time
from pathlib import Path

import pytest
import torch
from reference.torchmetrics_fid import fid

from genbench import cores
from genbench.metrics.frechet import frechet_distance, moments
from genbench.metrics.truth import Truth
from genbench.registry import datasets, metrics
from genbench.scoring.protocols import protocol
from genbench.scoring.scorer import Scorer

SIZES = (1_000, 3_000, 10_000, 30_000, 100_000)
LARGEST = {"w2": 3_000, "mmd": 30_000, "precision": 30_000}
"""Beyond it the entry would take minutes or, W2 at 10 000, 14 GiB: they grow with the square of the number and more."""

SCALED = ("w2", "sliced_w2", "mmd", "precision")
"""Metrics whose reference has as many samples."""

METRICS = ("modes", "hq", "reverse_kl", "std_ratio", *SCALED, "cross_entropy")
ROUNDS = 3


@pytest.mark.parametrize(("name", "n"), [(name, n) for name in METRICS for n in SIZES if n <= LARGEST.get(name, n)])
def test_metric_at_size(benchmark, name, n):
    about = Truth(datasets.build("grid25"))
    metric = metrics.build(f"{name}[n={n}]" if name in SCALED else name, about)
    rng = torch.Generator().manual_seed(0)

    def fresh():
        # A metric that shares its tables remembers the last samples it saw.
        samples = about.dataset.sample(n, rng)
        metric.reset()
        return (samples,), {}

    def score(samples):
        metric.update(samples)
        return metric.compute()

    (samples,), _ = fresh()
    peak = peak_bytes(lambda: score(samples))
    benchmark.group = f"{name} of n samples"
    benchmark.pedantic(score, setup=fresh, rounds=ROUNDS)
    benchmark.extra_info.update(metric=name, n=n, seconds=benchmark.stats.stats.median, peak_bytes=peak)


@pytest.mark.parametrize("d", [64, 512, 2048])
def test_frechet_beside_torchmetrics(benchmark, d):
    """The distance of moments alone, as `compute` finds it; the ratio is of medians of alternating rounds."""
    rng = torch.Generator().manual_seed(0)
    mix = torch.randn(d, d, generator=rng, dtype=torch.float64) / d**0.5
    x, y = (torch.randn(2 * d, d, generator=rng, dtype=torch.float64) @ mix for _ in range(2))
    other = fid(x, y)
    mine = moments(x), moments(y)
    reference_seconds: list[float] = []

    def reference():
        other._computed = None
        started = time.perf_counter()
        other.compute()
        reference_seconds.append(time.perf_counter() - started)

    benchmark.group = f"Fréchet distance, d = {d}"
    benchmark.pedantic(lambda: frechet_distance(*mine), setup=reference, rounds=ROUNDS)
    seconds, reference_median = benchmark.stats.stats.median, statistics.median(reference_seconds)
    benchmark.extra_info.update(
        metric="fd",
        d=d,
        seconds=seconds,
        reference_seconds=reference_median,
        reference_ratio=reference_median / seconds,
        relative_difference=abs(frechet_distance(*mine).item() / other.compute().item() - 1),
    )


def peak_bytes(work):
    """How far this process's memory rises above where it is; None where the system doesn't tell."""
    marks = Path("/proc/self/clear_refs")
    if not marks.exists():
        return None
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)
    marks.write_text("5", encoding="ascii")
    before = _status("VmRSS")
    work()
    return _status("VmHWM") - before


def _status(key):
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    (line,) = [line for line in lines if line.startswith(f"{key}:")]
    return int(line.split()[1]) * 1024


@pytest.mark.parametrize("spare", [0, 1])
def test_scoring_digits(benchmark, spare):
    """10 000 digits by all columns of mnist1, on one core and on two."""
    if "GENBENCH_DATA" not in os.environ:
        pytest.skip("GENBENCH_DATA is not set")
    dataset = datasets.build("mnist")
    judge, samples = Scorer(dataset, protocol("mnist1")), dataset.sample(10_000, torch.Generator().manual_seed(0))
    judge(samples)
    with cores.spared(spare):
        benchmark.pedantic(lambda: judge(samples), rounds=ROUNDS)
    benchmark.group = "10 000 digits by all columns of mnist1"
    benchmark.extra_info.update(metric="mnist1", n=10_000, cores=1 + spare, seconds=benchmark.stats.stats.median)
