"""Runs tasks on the machines of a Ray cluster, to the same bits as on this one.

Results come back through Ray's object store, so that machines need not share a file system; where they see the results
folder they write into it themselves. Only a machine that is lost costs anything: what was under way on it goes on
elsewhere, from the last checkpoint that came back.
"""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from genbench import cores
from genbench.datasets.files.roots import DATA
from genbench.errors import GenbenchError
from genbench.executors import parcel
from genbench.executors.backlog import Backlog
from genbench.executors.mailbox import Mailbox
from genbench.executors.parcel import Parcel
from genbench.executors.pool import GRACE_SECONDS
from genbench.executors.remote import Done, Job, work
from genbench.executors.signals import interruptible
from genbench.executors.task import Notify, Outcome, Task
from genbench.features import DINOV2_WEIGHTS, INCEPTION_WEIGHTS
from genbench.records import process
from genbench.records.atomic import UNFINISHED

POLL_SECONDS = 0.2

TRIES = 4
"""So often a task is begun at the most whose machine, or whose process there, is lost."""

AHEAD = 2
"""So many tasks wait beyond those that run, so that no machine waits for this one."""

SENT = (DATA, INCEPTION_WEIGHTS, DINOV2_WEIGHTS)
"""The variables by which a machine finds what it reads, where the folders are there too."""

SEEN = f".seen.{{}}{UNFINISHED}"
"""The file by which a machine tells whether it sees the run's results folder."""

LOCAL = "local"
"""The address of a cluster that is yet to be started, of this machine alone."""

INSTALL = "Running on a cluster takes Ray, which isn't installed: pip install 'genbench[ray]'"


@dataclass(frozen=True)
class Resources:
    """What a task takes of a machine: cores, and GPUs or a share of one."""

    cpus: float = 1.0
    gpus: float = 0.0


class RayExecutor:
    """Runs tasks on a cluster: the one at `address`, or one of this machine alone, which ends with the run.

    A task from which there is no word for `timeout` seconds is ended; None waits for ever. `shared` is whether every
    machine sees the results folder; None has each look for itself. Raises GenbenchError where there is no Ray, and no
    cluster.
    """

    def __init__(
        self,
        address: str | None = None,
        plugins: Sequence[str] = (),
        timeout: float | None = None,
        takes: Resources = Resources(),
        shared: bool | None = None,
    ) -> None:
        self.address, self.plugins, self.timeout, self.takes, self.shared = address, plugins, timeout, takes, shared

    def run(self, tasks: Sequence[Task], notify: Notify) -> Iterator[Outcome]:
        """Yields outcomes as tasks end. After Ctrl-C running ones keep checkpoints, and KeyboardInterrupt goes on."""
        with (
            _cluster(self.address) as ray,
            closing(Backlog(tasks)) as backlog,
            closing(_Fleet(ray, self)) as fleet,
            interruptible() as interrupted,
        ):
            while True:
                if interrupted():
                    backlog.drop()
                    fleet.ask_to_stop()
                while fleet.has_room and (task := backlog.take()) is not None:
                    fleet.send(task)
                if not (fleet.is_busy or backlog.is_held_up):
                    break
                for outcome in fleet.hear(notify):
                    yield from backlog.end(outcome)
                for task, reason in fleet.lost():
                    if parts := task.apart():
                        backlog.split(task, parts)
                    else:
                        yield from backlog.end(task.ended("crashed", reason))
            if interrupted():
                raise KeyboardInterrupt


class Sent(NamedTuple):
    """A task that is under way, and how often it has been sent."""

    task: Task
    times: int


class _Fleet:
    """All that is under way on a cluster."""

    def __init__(self, ray: Any, executor: RayExecutor) -> None:
        from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

        self.ray, self.executor = ray, executor
        here = NodeAffinitySchedulingStrategy(node_id=ray.get_runtime_context().get_node_id(), soft=False)
        self.mailbox = ray.remote(Mailbox).options(num_cpus=0, scheduling_strategy=here).remote()
        takes = executor.takes
        self.work = ray.remote(work).options(num_cpus=takes.cpus, num_gpus=takes.gpus, max_retries=0)
        self.plugins = {plugin: _source(plugin) for plugin in executor.plugins}
        self.mark = SEEN.format(process.here())
        self.marked: set[Path] = set()
        self.running: dict[Any, Sent] = {}
        self.without: list[tuple[Task, str]] = []
        self.asked_to_stop: float | None = None
        self._check_fits()

    def _check_fits(self) -> None:
        """Raises GenbenchError for tasks that would wait for ever."""
        takes, machines = self.executor.takes, [node["Resources"] for node in self.ray.nodes() if node["Alive"]]
        for kind, wanted, said in (("CPU", takes.cpus, "cores"), ("GPU", takes.gpus, "GPUs")):
            if max((machine.get(kind, 0.0) for machine in machines), default=0.0) < wanted:
                raise GenbenchError(f"No machine of the cluster has {wanted:g} {said}, which a task is to take.")

    @property
    def is_busy(self) -> bool:
        """Whether anything is under way."""
        return bool(self.running)

    @property
    def has_room(self) -> bool:
        """Whether another task could start now, or soon."""
        takes, there = self.executor.takes, self.ray.cluster_resources()
        fits = [there.get("CPU", 0) / takes.cpus] if takes.cpus else []
        fits += [there.get("GPU", 0) / takes.gpus] if takes.gpus else []
        return len(self.running) < max(1, int(min(fits, default=1))) + AHEAD

    def send(self, task: Task, times: int = 1) -> None:
        """Sends a task to whatever machine has room."""
        seen_by = None
        if task.root is not None and self.executor.shared is not False:
            root = Path(task.root)
            if root not in self.marked:
                (root / self.mark).touch()
                self.marked.add(root)
            seen_by = self.mark
        files = parcel.packed(Path(task.root), task.luggage()) if task.root is not None else {}
        cpus, environment = self.executor.takes.cpus, {name: os.environ[name] for name in SENT if name in os.environ}
        job = Job(task.sent(), files, self.plugins, self.executor.timeout, cpus, seen_by, environment)
        try:
            self.running[self.work.remote(job, self.mailbox)] = Sent(task, times)
        except Exception as error:  # what can't be pickled, say: this task's fault alone
            self.without.append((task, f"{type(error).__name__}: {error}"))

    def hear(self, notify: Notify) -> Iterator[Outcome]:
        """Waits a moment for words, keeps the checkpoints that came back, and gives the outcomes of what has ended."""
        ready: list[Any] = []
        if self.running:
            ready, _ = self.ray.wait(list(self.running), timeout=POLL_SECONDS)
        else:  # another run is at work on all that is left
            time.sleep(POLL_SECONDS)
        try:
            words, files = self.ray.get(self.mailbox.take.remote())
        except self.ray.exceptions.RayError as error:
            raise GenbenchError(
                f"The cluster is gone ({type(error).__name__}). To go on, give the command again."
            ) from error
        tasks = {sent.task.name: sent.task for sent in self.running.values()}
        for word in words:
            notify(word)
        for name, came in files.items():
            if name in tasks:
                with suppress(OSError):  # what is lost with it can be trained again
                    self._keep(tasks[name], came)
        for ref in ready:
            yield from self._ended(ref)
        if self.asked_to_stop is not None and time.monotonic() - self.asked_to_stop > GRACE_SECONDS:
            self.running.clear()

    def _ended(self, ref: Any) -> Iterator[Outcome]:
        task, times = self.running.pop(ref)
        try:
            done: Done = self.ray.get(ref)
            self._keep(task, done.files)
        except self.ray.exceptions.RayTaskError as error:
            if isinstance(error.cause, GenbenchError):
                yield Outcome(task, error=str(error.cause))
            else:
                self.without.append((task, f"{type(error.cause).__name__}: {' '.join(str(error.cause).split())}"))
        except self.ray.exceptions.RayError as error:
            lost = f"its machine or its process there was lost {times} times ({type(error).__name__})"
            if self.asked_to_stop is not None:
                return
            if times < TRIES:
                self.send(task, times + 1)
            else:
                self.without.append((task, lost))
        except OSError as error:
            yield Outcome(task, error=f"{task.name}: what came back can't be stored ({error.strerror}).")
        else:
            errors = [outcome.error for outcome in done.outcomes if outcome.error is not None]
            records = tuple(record for outcome in done.outcomes for record in outcome.records)
            yield Outcome(task, records, next(iter(errors), None))

    @staticmethod
    def _keep(task: Task, files: Parcel) -> None:
        if files and task.root is not None:
            parcel.unpack(Path(task.root), files, task.places)

    def lost(self) -> Iterator[tuple[Task, str]]:
        """The tasks that no machine has come to an end with, and why."""
        while self.without:
            yield self.without.pop()

    def ask_to_stop(self) -> None:
        """Asks for running tasks to keep their checkpoints and end, once."""
        if self.asked_to_stop is None:
            self.asked_to_stop = time.monotonic()
            with suppress(self.ray.exceptions.RayError):
                self.ray.get(self.mailbox.ask_to_stop.remote())

    def close(self) -> None:
        """Lets go of all machines."""
        for ref in self.running:
            with suppress(self.ray.exceptions.RayError):
                self.ray.cancel(ref, force=True)
        with suppress(self.ray.exceptions.RayError):
            self.ray.kill(self.mailbox)
        for root in self.marked:
            (root / self.mark).unlink(missing_ok=True)


def _source(plugin: str) -> bytes | None:
    """The content of a plugin that is a file; a module has to be installed wherever it is used."""
    return Path(plugin).read_bytes() if plugin.endswith(".py") else None


@contextmanager
def _cluster(address: str | None) -> Iterator[Any]:
    """Ray, connected to a cluster; raises GenbenchError where there is none."""
    try:
        import ray
    except ImportError:
        raise GenbenchError(INSTALL) from None
    joined = ray.is_initialized()
    if not joined:
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
        address = address or os.environ.get("RAY_ADDRESS") or LOCAL
        own: dict[str, Any] = {"num_cpus": cores.available(), "_node_ip_address": "127.0.0.1"}
        try:
            ray.init(
                address,
                log_to_driver=False,
                logging_level=logging.ERROR,
                include_dashboard=False,
                **(own if address == LOCAL else {}),
            )
        except (ConnectionError, RuntimeError, ValueError) as error:
            raise GenbenchError(f"No cluster answers at {address} ({error}). Start one: ray start --head") from None
    try:
        yield ray
    finally:
        if not joined:
            ray.shutdown()
