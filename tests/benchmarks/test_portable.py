"""What portable arithmetic costs: a step of training with it against one without, each in a process of its own.

Rounds alternate, and each process counts its own seconds of a processor, so that a busy machine changes neither:
`reference_ratio` is how many times as fast a portable step is.
"""

import statistics
from contextlib import nullcontext
from multiprocessing import get_context

import pytest
from stepping import serve

from genbench import portable

pytestmark = pytest.mark.skipif(portable.lacks() is not None, reason=str(portable.lacks()))

ROUNDS = 9


@pytest.fixture
def ready():
    """`ready(portably, …)`: a process that trains, as a function that gives the seconds of a step."""
    context, started = get_context("spawn"), []

    def start(portably, *training):
        ours, theirs = context.Pipe()
        with portable.pinned() if portably else nullcontext():
            process = context.Process(target=serve, args=(theirs, *training), daemon=True)
            process.start()
        started.append(process)
        assert ours.recv() is portably

        def step():
            ours.send(True)
            return ours.recv()

        return step

    yield start
    for process in started:
        process.terminate()
        process.join()


@pytest.mark.parametrize("engine", ["plain", "compiled"])
@pytest.mark.parametrize("trainer", ["gan", "wgan-gp"])
def test_step(benchmark, trainer, engine, ready):
    seeds = 1 if engine == "plain" else 5
    own, reference = (ready(portably, trainer, engine, seeds) for portably in (True, False))
    pairs = []
    benchmark.pedantic(lambda: pairs.append((own(), reference())), rounds=ROUNDS, warmup_rounds=1)
    seconds, reference_seconds = (statistics.median(column) for column in zip(*pairs[1:], strict=True))
    benchmark.group = f"{trainer} step at its default width, {engine}, {seeds} seeds, portable against not"
    benchmark.extra_info.update(
        trainer=trainer,
        engine=engine,
        replicas=seeds,
        device="cpu",
        seconds=seconds,
        reference_seconds=reference_seconds,
        reference_ratio=reference_seconds / seconds,
    )
