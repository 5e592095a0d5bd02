"""Training in a process of its own, which counts its own seconds of a processor."""

import time

from genbench import portable

ROUND_SECONDS = 0.2


def serve(connection, trainer, engine, seeds):
    """Trains as long as it is asked to; answers with the seconds of a step."""
    from genbench.engine.training import Training
    from genbench.executors.process import run_conditions
    from genbench.registry import datasets
    from genbench.spec import Budget, Suite

    plan = Suite(name="costs", version=1, trainers=(trainer,), datasets=("grid25",), seeds=tuple(range(seeds)),
                 budgets=(Budget.parse("steps=1000000"),), protocols=("smoke",))  # fmt: skip
    with run_conditions():
        stack = Training(plan.canonical().trials(), datasets.build("grid25"), "cpu", engine).stack
        stack.step(0.0)
        connection.send(portable.is_pinned())
        while connection.recv():
            steps, began = 0, time.process_time()
            while (spent := time.process_time() - began) < ROUND_SECONDS:
                stack.step(0.0)
                steps += 1
            connection.send(spent / steps)
