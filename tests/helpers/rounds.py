"""Timing in rounds, for benchmarks whose figures are ratios within one run."""

import statistics

from genbench.contract.timing import ROUNDS, WARM_UP_ROUNDS, timed


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
