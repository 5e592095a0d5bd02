"""One trial of a stack: what is measured of it at the checkpoints, and what is kept to go on from there."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from genbench.engine.meter import Meter
from genbench.engine.training import Training
from genbench.executors.task import Keep
from genbench.records.commit import load_checkpoint, save_checkpoint
from genbench.records.record import Record, Score
from genbench.scoring.protocols import Protocol
from genbench.spec import Trial
from genbench.trials.board import Board
from genbench.trials.drawn import Samples

STRIP_POINTS, STRIP_IMAGES = 400, 64
"""How many samples of each checkpoint are kept."""

FACTS = ("meter", "curve", "losses", "eval_seconds", "strips", "done")
"""What a checkpoint has to say beside its tensors."""


@dataclass
class Replica:
    """One trial of a stack: its place there, where it lives, what was measured so far, its record once it has ended."""

    place: int
    trial: Trial
    folder: Path
    board: Board
    curve: list[dict[str, Any]] = field(default_factory=list)
    strips: dict[str, list[Tensor]] = field(default_factory=dict)
    losses: list[dict[str, Any]] = field(default_factory=list)
    eval_seconds: float = 0.0
    record: Record | None = None

    def note(
        self, training: Training, scores: Sequence[Score], samples: Samples, protocol: Protocol, keep: Keep
    ) -> None:
        """Adds a row to the curve, and some of the samples to the strips."""
        row: dict[str, Any] = {"protocol": protocol.name, **training.meter_of(self.place).units}
        row |= {f"loss_{name}": values[self.place].item() for name, values in training.losses.items()}
        row |= {score.name: score.value for score in scores if score.value is not None}
        self.curve.append(row)
        for prefix, drawn in samples.items():
            self.strips.setdefault(prefix, []).append(_frame(drawn.here[self.place], keep))

    def kept(self, samples: Samples, keep: Keep) -> dict[str, Tensor]:
        """What is stored of the final samples and of every checkpoint's, by name."""
        final = {f"{prefix}final": drawn.here[self.place, : keep.samples] for prefix, drawn in samples.items()}
        return final | {f"{prefix}strip": torch.stack(frames) for prefix, frames in self.strips.items()}

    def losses_of(self, training: Training) -> list[dict[str, Any]]:
        """The losses along training: those of before it was taken up again, and those since."""
        since = (
            {
                "steps": at.steps,
                "updates": at.updates,
                **{f"loss_{name}": each[self.place] for name, each in at.losses.items()},
            }
            for at in training.trace
        )
        return [*self.losses, *since]

    def save(self, training: Training, done: float) -> None:
        """Writes a checkpoint; `done` is the last mark that was measured."""
        tensors, meter = training.state(self.place)
        losses = self.losses_of(training)
        self.board.losses(losses)  # first: what goes on from a checkpoint writes what comes after it alone
        facts = {
            "meter": meter,
            "curve": self.curve,
            "losses": losses,
            "latest": {name: values[self.place].item() for name, values in training.losses.items()},
            "eval_seconds": self.eval_seconds,
            "strips": list(self.strips),
            "done": done,
        }
        frames = {f"{prefix}strip.{k}": frame for prefix, strip in self.strips.items() for k, frame in enumerate(strip)}
        save_checkpoint(self.folder, tensors | frames, facts)

    def take_up(self, training: Training) -> float:
        """Goes on from the checkpoint, if there is one; returns the last mark that was measured, 0 for none."""
        checkpoint = checkpoint_of(self.folder)
        if checkpoint is None:
            self.board.take_up(0, (), ())
            return 0.0
        tensors, facts = checkpoint
        training.restore(tensors, facts["meter"], self.place)
        training.recall(facts.get("latest", {}), self.place)
        self.curve, self.losses, self.eval_seconds = facts["curve"], facts["losses"], facts["eval_seconds"]
        self.strips = {
            prefix: [tensors[f"{prefix}strip.{k}"] for k in range(len(self.curve))] for prefix in facts["strips"]
        }
        self.board.take_up(facts["meter"]["steps"], self.curve, self.losses)
        return float(facts["done"])


def checkpoint_of(folder: Path) -> tuple[dict[str, Tensor], dict[str, Any]] | None:
    """An unfinished trial's tensors and facts; None where there are none, or not all that it takes to go on."""
    checkpoint = load_checkpoint(folder)
    try:
        if checkpoint is not None and all(name in checkpoint[1] for name in FACTS):
            Meter(**checkpoint[1]["meter"])
            return checkpoint
    except TypeError:  # of somebody's meter
        pass
    return None


@contextmanager
def evaluation_clock(*replicas: Replica) -> Iterator[None]:
    """What happens within counts as evaluation, not as training; each replica bears its share."""
    started = time.perf_counter()
    yield
    share = (time.perf_counter() - started) / len(replicas)
    for replica in replicas:
        replica.eval_seconds += share


def _frame(samples: Tensor, keep: Keep) -> Tensor:
    """What is kept of a checkpoint's samples; of images, no more than of the final ones."""
    if samples.dtype == torch.uint8:
        return samples[: min(STRIP_IMAGES, keep.samples or STRIP_IMAGES)]
    return samples[:STRIP_POINTS].half()
