"""A plugin of trainers and datasets that fail, each in its own way."""

from __future__ import annotations

import os
import shutil
import signal
import sys
import threading
import time
import warnings
from functools import partial
from pathlib import Path

import numpy as np
import torch

from genbench import api, seeding


class Misfit:
    """A trainer whose generator is a shift, and which does `act` at its step `at`."""

    updates_per_step = 1

    def __init__(self, at, act):
        self.at, self.act = at, act
        self.shift, self.steps = torch.zeros(2), torch.tensor(0)

    def step(self, data, progress):
        self.shift = self.shift.lerp(data.next(4).mean(0), 0.1)
        self.steps = self.steps + 1
        if self.steps == self.at:
            self.act(self)
        return {"generator": self.shift.sum()}

    def sample(self, n, rng):
        return self.shift + torch.randn(n, 2, generator=rng)

    def weights(self):
        return {"generator.shift": self.shift}

    def state_dict(self):
        return {"shift": self.shift, "steps": self.steps}

    def load_state_dict(self, state):
        self.shift, self.steps = state["shift"], state["steps"]


SWITCH = [1.0]


def switch(trainer):
    """Moves by what no trial in its process has halved before, and halves it."""
    trainer.shift = trainer.shift + SWITCH[0]
    SWITCH[0] /= 2


def misfit(name, act):
    def build(problem: api.Problem, *, at: api.Count = 3) -> api.Trainer:
        return Misfit(at, act)

    build.__doc__ = f"A trainer that {name}."
    api.trainer(name)(build)


def crash(trainer):
    raise ValueError("no such luck")


def leave_the_numbers(trainer):
    trainer.shift = trainer.shift * torch.nan


def multiply_wrongly(trainer):
    torch.nn.Linear(3, 3)(torch.ones(2))


def run_out_of_memory(trainer):
    raise MemoryError


def ask_too_much_of_the_device(trainer):
    raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB")


def interrupt(trainer):
    os.kill(os.getpid(), signal.SIGINT)


def interrupt_the_parent(trainer):
    os.kill(os.getppid(), signal.SIGINT)
    time.sleep(0.5)


def leave(trainer):
    sys.exit(0)


def give_up(trainer):
    raise KeyboardInterrupt


def refuse(trainer):
    raise api.BadParameter("trainer refuses-to-go-on: no such luck.")


def ask_for_too_much(trainer):
    torch.empty(2**50)


def die_of_a_signal(trainer):
    os.kill(os.getpid(), signal.SIGSEGV)


def be_killed(trainer):
    os.kill(os.getpid(), signal.SIGKILL)


def hang(trainer):
    while True:
        time.sleep(1)


def leave_a_thread(trainer):
    threading.Thread(target=hang, args=(trainer,)).start()


def leave_a_child(trainer):
    if os.fork() == 0:
        hang(trainer)


def say(trainer):
    print("Heed me!")
    os.write(1, b"And me!\n")


def change_everything(trainer):
    """What any code may change for all that runs in its process after it."""
    torch.set_default_dtype(torch.float64)
    torch.set_default_device("meta")
    torch.set_grad_enabled(False)
    torch.autograd.set_detect_anomaly(True)
    torch.use_deterministic_algorithms(True)
    torch.set_num_threads(2)
    torch.set_float32_matmul_precision("medium")
    np.seterr(all="raise")
    warnings.simplefilter("error")
    sys.setrecursionlimit(150)
    os.umask(0o777)
    os.chdir("/")


def change_the_machine(trainer):
    """What nobody can ask for afterwards, so that nobody can put it back."""
    torch.set_flush_denormal(True)
    lerp = torch.Tensor.lerp
    torch.Tensor.lerp = lambda self, end, weight: lerp(self, end, weight / 2)


def leave_a_mark(trainer):
    """A line for each training, where a test finds it."""
    with Path(os.environ["MARKS"]).open("a") as file:
        file.write(f"{os.getpid()}\n")
    time.sleep(1)


def leave_a_mark_and_crash(trainer):
    leave_a_mark(trainer)
    crash(trainer)


def remove_the_results(trainer):
    shutil.rmtree("results")


@api.trainer("dies-at-seed-0")
def dies_at_seed_0(problem: api.Problem, *, at: api.Count = 3) -> api.Trainer:
    """A trainer whose first seed takes the process along."""
    own, first = (stream("culprit").initial_seed() for stream in (problem.stream, partial(seeding.stream, 0)))
    return Misfit(at, lambda trainer: os._exit(3) if own == first else None)


misfit("leaves-a-mark", leave_a_mark)
misfit("leaves-a-mark-and-crashes", leave_a_mark_and_crash)
misfit("removes-the-results", remove_the_results)
misfit("exits", leave)
misfit("gives-up", give_up)
misfit("refuses-to-go-on", refuse)
misfit("asks-for-too-much", ask_for_too_much)
misfit("segfaults", die_of_a_signal)
misfit("is-killed", be_killed)
misfit("hangs", hang)
misfit("leaves-a-thread", leave_a_thread)
misfit("leaves-a-child", leave_a_child)
misfit("talks", say)
misfit("changes-everything", change_everything)
misfit("changes-the-machine", change_the_machine)
misfit("crashes", crash)
misfit("multiplies-wrongly", multiply_wrongly)
misfit("turns-nan", leave_the_numbers)
misfit("dies", lambda trainer: os._exit(3))
misfit("fills-memory", run_out_of_memory)
misfit("fills-the-device", ask_too_much_of_the_device)
misfit("interrupts", interrupt)
misfit("interrupts-the-parent", interrupt_the_parent)
misfit("leaves-a-switch", switch)
misfit("behaves", lambda trainer: None)


@api.trainer("crashes-at-once")
def crashes_at_once(problem: api.Problem) -> api.Trainer:
    """A trainer that can't even be built."""
    raise RuntimeError("nothing to build")


@api.trainer("ends-when-built")
def ends_when_built(problem: api.Problem) -> api.Trainer:
    """A trainer that takes along whoever builds it."""
    os._exit(0)


@api.trainer("hangs-when-built")
def hangs_when_built(problem: api.Problem) -> api.Trainer:
    """A trainer that nobody has seen built."""
    hang(None)


class Unknown(api.Dataset):
    """Samples of which nothing else is known."""

    event_shape = (2,)

    def sample(self, n, rng):
        return torch.randn(n, 2, generator=rng)


@api.dataset("unknown")
def unknown() -> Unknown:
    """Samples of which nothing else is known."""
    return Unknown()


@api.dataset("refuses")
def refuses():
    """A dataset that names what is wrong."""
    raise api.BadParameter("dataset refuses: its file is empty.")


@api.dataset("breaks")
def breaks():
    """A dataset that fails in a way that nobody foresaw."""
    raise RuntimeError("a library gave up")
