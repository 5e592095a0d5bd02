"""Simulates a suite's run on clusters of many sizes, by the costs of committed trials, and says what holds it up.

Run it from the repository's root; it prints the table of docs/cluster.md:

    python results/cluster.py

Workers take tasks in the plan's order as they become free. The machine that the command is given on does one thing at a
time: for each task it stores what came back and sends the next. What a worker takes is what the records of
toy2d-extended say of stacks of five seeds, in seconds of one core of the machine that made them; where trials take
other times, the number of workers from which on the command is what holds them up is in proportion.
"""

from __future__ import annotations

import heapq
from collections import defaultdict
from itertools import cycle, islice
from pathlib import Path
from typing import NamedTuple

from genbench.records.store import Store

ROOT = Path(__file__).parent.parent
SUITE, STACK = "toy2d-extended", 5
COMMAND_SECONDS, START_SECONDS = 0.042, 5.0
"""For how long a task of five trials keeps the command busy, and what a worker takes until it has ended its first.

Both as `pytest tests/benchmarks/test_cluster.py --benchmark-only -s -k busy` measured them, through the object store.
"""

WORKERS = (1, 10, 100, 300, 1_000, 3_000)
TRIALS = 100_000


class Run(NamedTuple):
    """How a run on so many workers went: its seconds, and the shares of them that workers and the command were busy."""

    workers: int
    seconds: float
    worked: float
    commanded: float


def tasks() -> list[float]:
    """The seconds that each stack of the suite took, seed by seed."""
    cells: dict[tuple[str, str], list[float]] = defaultdict(list)
    for found in Store(ROOT / "results" / "reference").trials(SUITE):
        cost, trial = found.record.cost, found.record.trial
        cells[trial.dataset.label, trial.trainer.label].append(cost.train_seconds + cost.eval_seconds)
    return [sum(of[i : i + STACK]) for i in range(0, 10, STACK) for of in cells.values()]


def simulated(costs: list[float], workers: int) -> Run:
    """List scheduling with one command, which serves workers in the order in which they become free."""
    free = [START_SECONDS] * workers
    commanded = 0.0
    for cost in costs:
        commanded = max(commanded, heapq.heappop(free)) + COMMAND_SECONDS
        heapq.heappush(free, commanded + cost)
    seconds = max(free)
    return Run(workers, seconds, sum(costs) / (workers * seconds), len(costs) * COMMAND_SECONDS / seconds)


def table() -> str:
    """The runs, a row each."""
    own = tasks()
    costs = list(islice(cycle(own), TRIALS // STACK))
    lines = ["| workers | hours | workers at work | command at work |", "|---:|---:|---:|---:|"]
    for run in (simulated(costs, workers) for workers in WORKERS):
        lines.append(f"| {run.workers:,} | {run.seconds / 3600:.2f} | {run.worked:.0%} | {run.commanded:.0%} |")
    mean = sum(own) / len(own)
    limit = mean / COMMAND_SECONDS
    lines += [
        "",
        f"A stack takes {mean:.0f} s, the longest {max(own):.0f} s; the command is full at {limit:,.0f} workers.",
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    print(table())
