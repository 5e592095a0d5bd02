"""TensorBoard's event files of a trial, written while it trains; nothing of genbench reads them.

What is written of a trial takes part in neither its clock nor its random streams, and an error in writing ends what is
written and not the trial. Imports no torch before it writes.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from genbench import seeding
from genbench.datasets.base import Dataset, Target
from genbench.errors import GenbenchError
from genbench.executors.task import Context
from genbench.records import atomic
from genbench.records.layout import AVERAGED
from genbench.records.reading import text
from genbench.records.record import Score
from genbench.records.store import Store
from genbench.spec import Trial

if TYPE_CHECKING:
    from torch import Tensor

PACKAGE = "tensorboard"

IMAGES = 64
"""How many of a checkpoint's images are shown."""

BINS, PIXELS = 96, 4
"""A density's bins along each axis, and the pixels along each side of a bin."""

MARGIN = 0.3
"""How far a density reaches beyond the dataset's extent, in units of the extent."""

EXTENT_POINTS = 1_000
"""So many points of a dataset that doesn't say where it lies tell its extent."""

Rows = Sequence[Mapping[str, Any]]


def check_installed() -> None:
    """Raises GenbenchError where TensorBoard isn't installed."""
    if find_spec(PACKAGE) is None:
        raise GenbenchError(f"--tensorboard needs {PACKAGE}: pip install 'genbench[tensorboard]'")


class Board:
    """The event files of one trial; of a run that wants none, nothing is written."""

    def __init__(self, context: Context, trial: Trial) -> None:
        self._trial = trial
        self._root = Path(context.root)
        self._place = Store(self._root).board(context.suite, trial)
        self._is_on = context.tensorboard
        self._writer: Any = None
        self._next = 0
        """The first generator step whose losses aren't written yet."""

    def take_up(self, steps: int, curve: Rows, losses: Rows) -> None:
        """Goes on where a trial does: at its checkpoint, whose curve and losses these are, or at its start.

        What a run that was cut off had written since is purged. Where nothing was written yet, all is.
        """

        def write() -> None:
            measured = bool(curve) and curve[-1]["steps"] == steps
            known = any(self._place.glob("events.*"))
            self._next = steps + measured if known else 0
            self._open(purge_step=self._next)
            for row in curve:
                if row["steps"] >= self._next:
                    self._add_row(row)
            self._add_losses(losses)

        self._guarded(write)

    def losses(self, losses: Rows) -> None:
        """Adds those losses along training that aren't written yet."""
        self._guarded(lambda: self._add_losses(losses))

    def checkpoint(self, row: Mapping[str, Any], samples: Tensor, dataset: Dataset) -> None:
        """Adds the numbers of a curve's row, and a picture of the samples `(n, *event)` where there is one."""

        def write() -> None:
            self._add_row(row)
            if (shown := picture(samples, dataset)) is not None:
                self._open().add_images("samples", shown, row["steps"])

        self._guarded(write)

    def scores(self, scores: Sequence[Score], steps: int) -> None:
        """Adds the final scores, and closes."""

        def write() -> None:
            for score in scores:
                name = f"{AVERAGED}{score.name}" if score.identity.ema is not None else score.name
                if score.value is not None:
                    self._open().add_scalar(f"scores/{score.identity.protocol}/{name}", score.value, steps)

        self._guarded(write)
        self.close()

    def failure(self, status: str, reason: str, steps: int, losses: Rows = ()) -> None:
        """Adds how the trial failed and the losses up to there, and closes."""

        def write() -> None:
            self._add_losses(losses)
            self._open().add_text("failure", text(f"{status}: {reason}"), steps)

        self._guarded(write)
        self.close()

    def close(self) -> None:
        """Ends the file; what is added afterwards begins another."""
        if self._writer is not None:
            writer, self._writer = self._writer, None
            with suppress(Exception):
                writer.close()

    def _guarded(self, write: Callable[[], None]) -> None:
        """Writes to the disk; an error is told, and ends all writing."""
        if not self._is_on:
            return
        try:
            write()
            if self._writer is not None:
                self._writer.flush()
        except Exception as error:  # whatever the library or the disk has: the trial goes on
            self._is_on = False
            self.close()
            told = f"genbench: nothing more of {self._trial} for TensorBoard: {type(error).__name__}: {error}"
            with suppress(OSError):
                print(text(told), file=sys.stderr)

    def _open(self, purge_step: int | None = None) -> Any:
        if self._writer is None:
            from torch.utils.tensorboard import SummaryWriter

            atomic.check_within(self._root, self._place)
            self._writer = SummaryWriter(str(self._place), purge_step=purge_step)
        return self._writer

    def _add_row(self, row: Mapping[str, Any]) -> None:
        for name, value in row.items():
            if isinstance(value, int | float) and name != "steps":
                self._open().add_scalar(f"curve/{name}", value, row["steps"])

    def _add_losses(self, losses: Rows) -> None:
        for row in losses:
            if row["steps"] < self._next:
                continue
            for name, value in row.items():
                if name not in ("steps", "updates"):
                    self._open().add_scalar(f"losses/{name.removeprefix('loss_')}", value, row["steps"])
            self._next = row["steps"] + 1


def picture(samples: Tensor, dataset: Dataset) -> NDArray[np.uint8] | None:
    """The first of the samples as images `(n, channels, height, width)`, or the density of points in the plane as one.

    None for samples that are neither.
    """
    if isinstance(dataset, Target) and dataset.image_shape is not None:
        from genbench.datasets.images import as_pixels

        samples = as_pixels(samples[:IMAGES].reshape(-1, *dataset.image_shape))
    if samples.dim() == 4:
        shown: NDArray[np.uint8] = samples[:IMAGES].numpy()
        return shown if shown.shape[1] in (1, 3) else None
    if dataset.event_shape == (2,):
        return density(samples.numpy(), *_extent(dataset))
    return None


def density(points: NDArray[np.floating], low: NDArray[np.floating], high: NDArray[np.floating]) -> NDArray[np.uint8]:
    """How densely points `(n, 2)` lie between two corners `(2,)`, as an image `(1, 1, height, width)`.

    Brightness is the square root of the density, so that faint parts show; y points up.
    """
    counts, _, _ = np.histogram2d(points[:, 0], points[:, 1], bins=BINS, range=np.stack([low, high], axis=1))
    levels = np.sqrt(counts / max(1.0, counts.max()))
    image: NDArray[np.uint8] = np.round(255 * levels.T[::-1]).astype(np.uint8)
    return image.repeat(PIXELS, 0).repeat(PIXELS, 1)[None, None]


def _extent(dataset: Dataset) -> tuple[NDArray[np.floating], NDArray[np.floating]]:
    """Two corners between which the dataset lies, with a margin."""
    if isinstance(dataset, Target):
        low, high = (corner.numpy() for corner in dataset.box)
    else:
        points = dataset.sample(EXTENT_POINTS, seeding.stream(0, seeding.REFERENCE_DATA)).numpy()
        low, high = points.min(0), points.max(0)
    margin = np.maximum(MARGIN * (high - low), math.ulp(1.0))
    return low - margin, high + margin
