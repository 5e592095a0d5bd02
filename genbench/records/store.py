"""Results on disk: found, and read again (`genbench.records.layout` says what lies where)."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from operator import attrgetter
from pathlib import Path
from typing import Any, NamedTuple

from genbench.errors import GenbenchError
from genbench.records import atomic, claims, consistency, packed, reading
from genbench.records.atomic import write_model
from genbench.records.layout import (
    BOARDS,
    CONTROLS,
    EXTERNAL,
    PLAN,
    RECORD,
    REFERENCE,
    SAMPLES,
    SCORES,
    controls_aside,
    slug,
    trial_folder,
)
from genbench.records.record import BadRecord, ControlScores, External, Record, Scores, read
from genbench.spec import Component, Frozen, Suite, Trial, canonical_json

SPARE_BYTES = 64 * 2**20
"""Free space below which no trial is started."""


class Unreadable(NamedTuple):
    """A file in the results that can't be read, and why."""

    path: Path
    reason: str


class Copied(NamedTuple):
    """A file or folder in the results that holds the same as another, which lies where it belongs."""

    path: Path
    of: Path


class Found(NamedTuple):
    """A stored trial: its folder, its record, and its scores where it has any."""

    folder: Path
    record: Record
    scores: Scores | None

    @property
    def samples(self) -> int:
        """How many of its final samples are stored, as far as they can be read."""
        from safetensors import SafetensorError, safe_open

        try:
            reading.check(self.folder / SAMPLES)
            with safe_open(self.folder / SAMPLES, framework="numpy") as file:
                return int(file.get_slice("final").get_shape()[0])
        except (OSError, SafetensorError):
            return 0


class Store:
    """A results folder. Reading it never raises for a single bad file: `unreadable` collects those, `copies` others."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.unreadable: list[Unreadable] = []
        self.copies: dict[Path, Copied] = {}
        self._known: dict[tuple[Path, reading.Version | None], Any] = {}

    def check_writable(self) -> None:
        """Makes the folder and writes to it; raises GenbenchError where that fails or the disk is full."""
        try:
            self.root.mkdir(parents=True, exist_ok=True)
            with tempfile.NamedTemporaryFile(prefix=".probe-", dir=self.root) as probe:
                probe.write(b"genbench")
        except OSError as error:
            raise self._not_writable(error) from None
        if (free := shutil.disk_usage(self.root).free) < SPARE_BYTES:
            raise GenbenchError(
                f"Only {free // 2**20} MiB are free for {self.root}. Make room or give another folder: --out DIR"
            )

    def home(self, suite: str) -> Path:
        """The folder of a suite, that of its archive where it has no other."""
        folder = self.root / suite
        archive = self.archive(suite)
        if archive is None:
            return folder
        try:
            return packed.unpacked(archive)
        except GenbenchError as error:
            self.unreadable.append(Unreadable(archive, str(error)))
        return folder

    def archive(self, suite: str) -> Path | None:
        """The archive that a suite is read from, None where it has a folder, or neither."""
        archive = self.root / f"{suite}{packed.SUFFIX}"
        return archive if not (self.root / suite).exists() and archive.is_file() else None

    def check_unpacked(self, suite: str) -> None:
        """Raises GenbenchError for a suite that is read from its archive, which nothing can be added to."""
        if (archive := self.archive(suite)) is not None:
            raise GenbenchError(f"{suite} is packed. To go on with it: unzip {archive} -d {self.root}")

    def check_own(self, path: Path) -> None:
        """Raises GenbenchError where a link takes what is to be written or removed out of the results folder."""
        atomic.check_within(self.root, path)

    def folder(self, suite: str, trial: Trial) -> Path:
        """Where a trial lives."""
        return trial_folder(self.home(suite), trial, trial.id)

    def board(self, suite: str, trial: Trial) -> Path:
        """Where TensorBoard's event files of a trial live."""
        return trial_folder(self.root / BOARDS / suite, trial, trial.id)

    def cell(self, suite: str, dataset: Component) -> Path:
        """Where all of a dataset's trials and its controls live."""
        return self.home(suite) / slug(dataset.label)

    def suites(self) -> list[str]:
        """The names of the suites that have results here, in order; a folder of which another has all is its copy."""
        if not self.root.is_dir():
            return []
        names = {path.name for path in self.root.iterdir() if path.is_dir() and path.name != REFERENCE}
        names |= {path.stem for path in self.root.glob(f"*{packed.SUFFIX}") if packed.is_of(path, path.stem, PLAN)}
        named = sorted(name for name in names if reading.text(name) == name)
        return [name for name in named if any(self._records(name)) and not self._is_copy(name, named)]

    def _records(self, suite: str) -> Iterator[Path]:
        return self.home(suite).glob(f"*/*/*/{RECORD}")

    def _is_copy(self, suite: str, named: Sequence[str]) -> bool:
        """Whether the suite that the records in a folder name has a folder of its own, with all of these records."""
        record = self._read(next(self._records(suite)), Record)
        if record is None or record.suite == suite or record.suite not in named:
            return False
        here, there = ({path.parent.name for path in self._records(of)} for of in (suite, record.suite))
        if copied := here <= there:
            self._copied(self.root / suite, self.root / record.suite)
        return copied

    def trials(self, suite: str) -> Iterator[Found]:
        """Every finished trial of a suite, once: the one that lies where it belongs, if any does."""
        records: dict[Path, list[tuple[Path, Record]]] = {}
        place = self.home(suite)
        for path in sorted(place.glob(f"*/*/seed-*/{RECORD}"), key=attrgetter("parts")):
            record = self._read(path, Record)
            if record is not None:
                records.setdefault(trial_folder(place, record.trial, record.id), []).append((path.parent, record))
        for home, of in records.items():
            folder, record = next((each for each in of if each[0] == home), of[0])
            for other, _ in of:
                self._copied(other, folder)
            if (problem := consistency.of_record(record, folder)) is None:
                yield Found(folder, record, self._scores(folder, record))
            else:
                self.unreadable.append(Unreadable(folder / RECORD, problem))

    def trial(self, folder: Path) -> Found:
        """The finished trial that lives in `folder`; raises GenbenchError where none does."""
        record = self._read(folder / RECORD, Record)
        if record is None:
            raise GenbenchError(
                f"{folder} holds no finished trial: {self.unreadable.pop().reason}. Give a folder that holds {RECORD}."
            )
        if (problem := consistency.of_record(record, folder.resolve())) is not None:
            raise GenbenchError(f"{folder / RECORD}: {problem}.")
        return Found(folder, record, self._scores(folder, record))

    def _scores(self, folder: Path, record: Record) -> Scores | None:
        """The scores beside a record, None where there are none of it that can be read."""
        path = folder / SCORES
        scores: Scores | None = self._read(path, Scores, optional=True)
        if scores is not None and (problem := consistency.of_scores(scores, record)) is not None:
            self.unreadable.append(Unreadable(path, problem))
            return None
        return scores

    def record(self, folder: Path) -> Record | None:
        """The record in a trial's folder, None where there is none that can be read."""
        record: Record | None = self._read(folder / RECORD, Record, optional=True)
        return record

    def controls(self, suite: str) -> Iterator[ControlScores]:
        """The controls of every dataset in a suite."""
        files = self.home(suite).glob(f"*/{CONTROLS.replace('.', '*.')}")
        return self._once(files, ControlScores, lambda of: (of.dataset, of.truth), lambda of: slug(of.dataset))

    def read_controls(self, suite: str, dataset: Component) -> ControlScores | None:
        """One dataset's controls, None where there are none that can be read, or those of other data of its label."""
        cell = self.cell(suite, dataset)
        for path in (cell / CONTROLS, controls_aside(cell, dataset.identity)):
            measured: ControlScores | None = self._read(path, ControlScores, optional=True)
            if measured is not None and measured.truth in (None, dataset.identity):
                return measured
        return None

    def write_controls(self, suite: str, dataset: Component, controls: ControlScores) -> None:
        """Stores one dataset's controls; those of other data of the same label are put aside."""
        cell = self.cell(suite, dataset)
        self.check_own(cell)
        before: ControlScores | None = self._read(cell / CONTROLS, ControlScores, optional=True)
        if before is not None and before.truth is not None and before.truth != controls.truth:
            (cell / CONTROLS).replace(controls_aside(cell, before.truth))
        write_model(cell / CONTROLS, controls)
        if controls.truth is not None:
            controls_aside(cell, controls.truth).unlink(missing_ok=True)

    def externals(self) -> Iterator[External]:
        """Every entry of samples from elsewhere, whatever suite their dataset is in."""
        files = self.root.glob(f"{EXTERNAL}/*/*.json")
        return self._once(files, External, lambda of: (of.dataset.label, of.name), self._external)

    @staticmethod
    def _external(entry: External) -> str:
        """The file of an entry, in its dataset's folder."""
        return f"{slug(entry.dataset.label)}/{slug(entry.name)}.json"

    def write_external(self, entry: External) -> str | None:
        """Stores an entry; what its name holds of the same samples and data under other protocols stays.

        Returns what the scores were of whose place it takes: other samples, other data, or None.
        """
        path = self.root / EXTERNAL / self._external(entry)
        before: External | None = self._read(path, External, optional=True)
        self._write(path, entry.after(before))
        return entry.differs_from(before) if before is not None else None

    def plan(self, suite: str) -> Suite | None:
        """The plan that was last run under this name, None where there is none that can be read."""
        stored: Suite | None = self._read(self.home(suite) / PLAN, Suite, optional=True)
        return stored

    def write_plan(self, plan: Suite) -> None:
        """Stores a suite's plan, so that a report knows what is missing; what was planned before stays planned.

        Raises GenbenchError where that fails, and where the suite is packed.
        """
        self.check_unpacked(plan.name)
        folder = self.root / plan.name
        self.check_own(folder)
        try:
            with claims.alone(folder):  # or one of two runs would forget what the other plans
                before = self.plan(plan.name)
                if before is not None and before.version == plan.version:
                    parts = ("datasets", "trainers", "seeds", "budgets", "metrics")
                    of = {part: (*getattr(before, part), *getattr(plan, part)) for part in parts}
                    plan = plan.model_copy(update={part: tuple(dict.fromkeys(both)) for part, both in of.items()})
                write_model(folder / PLAN, plan)
        except OSError as error:
            raise self._not_writable(error) from None

    def _write(self, path: Path, model: Frozen) -> None:
        """Raises GenbenchError where that fails."""
        self.check_own(path.parent)
        try:
            write_model(path, model)
        except OSError as error:
            raise self._not_writable(error) from None

    def _not_writable(self, error: OSError) -> GenbenchError:
        return GenbenchError(f"Can't write to {self.root} ({error.strerror}). Give another folder: --out DIR")

    def _once(
        self, files: Iterable[Path], model: type[Frozen], about: Callable[[Any], Any], home: Callable[[Any], str]
    ) -> Iterator[Any]:
        """What some files hold, in order, once of all that is `about` the same.

        `home` is the name of the folder that it belongs in, or of the file in that folder.
        """
        known: dict[str, list[tuple[Path, Any]]] = {}
        for path in sorted(files):
            if (entry := self._read(path, model)) is not None:
                known.setdefault(canonical_json(about(entry)), []).append((path, entry))
        for of in known.values():
            # Of copies in one folder the one with the shorter name was there first.
            path, entry = min(of, key=lambda each: (home(each[1]) not in _names(each[0]), len(each[0].name)))
            for other, _ in of:
                self._copied(other, path)
            yield entry

    def _copied(self, path: Path, of: Path) -> None:
        if path != of:
            self.copies[path] = Copied(path, of)

    def _read(self, path: Path, model: type[Frozen], optional: bool = False) -> Any:
        """What a JSON file holds; None, and a line in `unreadable`, where that fails.

        A file that hasn't changed since is not read again.
        """
        try:
            version = (path, reading.version(path))
            if version not in self._known:
                self._known[version] = read(model, reading.content(path))
            return self._known[version]
        except FileNotFoundError as error:
            if not optional:
                self.unreadable.append(Unreadable(path, str(error.strerror)))
        except OSError as error:
            self.unreadable.append(Unreadable(path, str(error.strerror)))
        except BadRecord as error:
            self.unreadable.append(Unreadable(path, str(error)))
        except (
            ValueError,
            RecursionError,
        ):  # of Python's json, also for numbers that are none, or of a thousand digits
            self.unreadable.append(Unreadable(path, "not JSON: cut off or overwritten"))
        return None


def _names(path: Path) -> tuple[str, str]:
    """A file's folder by its name, and the file in that folder."""
    return path.parent.name, f"{path.parent.name}/{path.name}"
