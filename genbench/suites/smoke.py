"""What tries whether all of a suite works."""

from __future__ import annotations

from genbench.spec import Budget, Suite

STEPS = 30


def smoke(whole: Suite, trainers: tuple[str, ...], protocol: str) -> Suite:
    """The suite with a few generator steps, by trainers that are quick and a protocol of few samples."""
    changes = {
        "name": f"{whole.name}-smoke",
        "trainers": trainers,
        "budgets": (Budget(kind="steps", amount=STEPS),),
        "protocols": (protocol,),
        "checkpoints": 3,
        "control_draws": 2,
    }
    return whole.model_copy(update=changes)
