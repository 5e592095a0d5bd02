"""Timing in rounds, for benchmarks whose figures are ratios within one run."""

import statistics
import time

import torch

ROUNDS, WARM_UP_ROUNDS = 15, 2
ROUND_SECONDS = 0.05


def timed(update, device, at_least=ROUND_SECONDS):
    """Seconds an update, over as many as take `at_least` so many seconds."""
    count = 1
    while True:
        started = time.perf_counter()
        for _ in range(count):
            update()
        if device == "cuda":
            torch.cuda.synchronize()
        if (seconds := time.perf_counter() - started) >= at_least:
            return seconds / count
        count = max(2 * count, int(count * at_least / max(seconds, 1e-9)) + 1)


def compare(benchmark, update, reference, device, replicas):
    """Times `update` in rounds that alternate with the reference's; the ratio is of medians, a replica."""
    own, other = [], []

    def round_of_both():
        other.append(timed(reference, device))
        own.append(timed(update, device))

    for _ in range(WARM_UP_ROUNDS):
        round_of_both()
    own.clear(), other.clear()
    benchmark.pedantic(round_of_both, rounds=ROUNDS)
    seconds, reference_seconds = statistics.median(own), statistics.median(other)
    benchmark.extra_info.update(
        seconds=seconds,
        reference_seconds=reference_seconds,
        reference_ratio=reference_seconds / (seconds / replicas),
    )
