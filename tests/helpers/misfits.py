"""A plugin of trainers and datasets that fail, each in its own way."""

from __future__ import annotations

import os
import signal
import time

import torch

from genbench import api


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


misfit("crashes", crash)
misfit("multiplies-wrongly", multiply_wrongly)
misfit("turns-nan", leave_the_numbers)
misfit("dies", lambda trainer: os._exit(3))
misfit("fills-memory", run_out_of_memory)
misfit("fills-the-device", ask_too_much_of_the_device)
misfit("interrupts", interrupt)
misfit("interrupts-the-parent", interrupt_the_parent)
misfit("behaves", lambda trainer: None)


@api.trainer("crashes-at-once")
def crashes_at_once(problem: api.Problem) -> api.Trainer:
    """A trainer that can't even be built."""
    raise RuntimeError("nothing to build")


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
