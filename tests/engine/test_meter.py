"""A trial's seconds: its share of what the device took to train, compiling beside it, whoever looks when."""

import time

import pytest
import torch

from genbench.engine import meter, paths, stacked
from genbench.engine import training as engine
from genbench.engine.meter import Clock, Meter
from genbench.engine.stacked import Stacked
from genbench.engine.training import Stopped, Training
from genbench.registry import datasets, trainers
from genbench.spec import Budget, Component, Trial
from genbench.trials.resources import build_dataset

LAUNCH, WORK = 0.25, 4.0
"""Seconds that a step takes of the host, and of the device once it comes to it. Both are exact in binary."""

STEP = LAUNCH + WORK


class Device:
    """A clock of its own, and work that is queued and done only when somebody waits for it."""

    waits = True

    def __init__(self):
        self.time, self.queued, self.looks = 1000.0, 0.0, 0

    def now(self):
        self.looks += 1
        self.time, self.queued = self.time + self.queued, 0.0
        return self.time

    def launch(self):
        self.time, self.queued = self.time + LAUNCH, self.queued + WORK


@pytest.fixture
def device(monkeypatch):
    """The device that every training of the test runs on."""
    made = Device()
    monkeypatch.setattr(engine, "Clock", lambda device: made)
    monkeypatch.setattr(engine, "CHECK_EVERY", 5)
    monkeypatch.setattr(stacked, "compiled", lambda update, arguments: update)
    monkeypatch.setattr(stacked, "_compiled", {})
    return made


@pytest.fixture
def slow(device, monkeypatch):
    """`slow(seeds)`: a training whose steps take STEP seconds."""

    def ready(seeds=(0,), budget="steps=12", path="plain"):
        trials = [
            Trial(
                dataset=Component.resolve(datasets, "ring8"),
                trainer=Component.resolve(trainers, "gan[width=8,batch=16]"),
                budget=Budget.parse(budget),
                seed=seed,
            )
            for seed in seeds
        ]
        training = Training(trials, build_dataset(trials[0].dataset), "cpu", path)
        step = training.stack.step

        def launched(progress):
            device.launch()
            return step(progress)

        monkeypatch.setattr(training.stack, "step", launched)
        return training

    return ready


@pytest.fixture
def compiling(device, monkeypatch):
    """Compiling takes the device nine seconds."""
    warm_up = Stacked.warm_up

    def slowly(self):
        device.queued += 9.0
        warm_up(self)

    monkeypatch.setattr(Stacked, "warm_up", slowly)


def test_seconds_hold_what_the_device_had_still_to_do(slow):
    ready = slow()
    ready.run(1.0)
    assert ready.meter.seconds == 12 * STEP


def test_nobody_waits_for_the_device_but_where_somebody_looks(slow, device):
    ready, seen, looks = slow(), [], []
    ready.run(1.0, lambda meter: seen.append(meter.seconds) or looks.append(device.looks))
    assert seen == [0.0] * 4 + [5 * STEP] * 5 + [10 * STEP] * 3
    assert looks[0] == looks[3] < looks[4] == looks[8] < looks[9] == looks[11]


def test_asking_for_the_seconds_reads_the_clock(slow):
    ready, seen = slow(), []
    ready.run(1.0, lambda meter: ready.read_clock() or seen.append(meter.seconds))
    assert seen == [step * STEP for step in range(1, 13)]


def test_budget_in_seconds_is_of_the_devices_seconds(slow):
    ready = slow(budget=f"seconds={5 * STEP - 1}")
    ready.run(1.0)
    assert (ready.meter.steps, ready.meter.seconds) == (5, 5 * STEP)
    assert ready.progress >= 1


def test_training_that_is_stopped_has_counted_everything(slow):
    ready = slow()
    with pytest.raises(Stopped):
        ready.run(1.0, lambda meter: meter.steps == 3)
    assert ready.meter.seconds == 3 * STEP


def test_what_happens_between_two_runs_is_not_training(slow, device):
    ready = slow()
    ready.run(0.5)
    device.time, device.queued = device.time + 100, 100.0
    ready.read_clock()
    assert ready.meter.seconds == 6 * STEP
    ready.run(1.0)
    assert ready.meter.seconds == 12 * STEP


def test_each_trial_of_a_stack_has_its_share(slow):
    ready = slow((0, 1, 2, 3), path="compiled")
    ready.run(1.0)
    assert ready.stack.size == 4
    assert ready.meter.seconds == 12 * STEP / 4
    assert [ready.meter_of(replica) for replica in range(4)] == [ready.meter] * 4


@pytest.mark.usefixtures("compiling")
@pytest.mark.parametrize("seeds", [(0,), (0, 1, 2)])
def test_compiling_is_metered_beside_training_and_shared_too(seeds, slow):
    ready = slow(seeds, path="compiled")
    assert (ready.meter.compile_seconds, ready.meter.seconds) == (9 / len(seeds), 0)
    ready.run(1.0)
    assert (ready.meter.compile_seconds, ready.meter.seconds) == (9 / len(seeds), 12 * STEP / len(seeds))


@pytest.mark.usefixtures("compiling")
def test_nothing_is_compiled_on_the_plain_path(slow):
    assert slow(path="plain").meter.compile_seconds == 0


def test_compiling_in_vain_is_metered_once(slow, device, monkeypatch):
    def fail(self):
        device.queued += 9.0
        raise RuntimeError("no compiler")

    monkeypatch.setattr(Stacked, "warm_up", fail)
    monkeypatch.setattr(paths, "_failures", {})
    monkeypatch.setattr(paths, "COMPILE_FROM", 1)
    first, second = slow(path="auto"), slow(path="auto")
    assert first.path.name == second.path.name == "plain"
    assert (first.meter.compile_seconds, second.meter.compile_seconds) == (9, 0)


def test_what_compiling_a_stack_took_in_vain_is_borne_by_who_trains_alone_instead(slow, device, monkeypatch):
    def fail(self):
        device.queued += 9.0
        raise RuntimeError("no compiler")

    monkeypatch.setattr(Stacked, "warm_up", fail)
    monkeypatch.setattr(paths, "_failures", {})
    monkeypatch.setattr(paths, "_in_vain", {})
    monkeypatch.setattr(paths, "COMPILE_FROM", 1)
    for _ in range(2):
        with pytest.raises(paths.CannotStack):
            slow(seeds=(0, 1), path="auto")
    assert [slow(seeds=(seed,), path="auto").meter.compile_seconds for seed in (0, 1)] == [9, 0]


@pytest.mark.usefixtures("compiling")
def test_seconds_of_training_and_of_compiling_go_on_after_a_pause(slow):
    first, second = (slow(path="compiled") for _ in range(2))
    first.run(0.5)
    second.restore(*first.state())
    assert second.meter == Meter(6, 12, first.meter.samples, 6 * STEP, 9 + 9)
    second.run(1.0)
    assert (second.meter.seconds, second.meter.compile_seconds) == (12 * STEP, 9 + 9)
    assert second.state()[1]["compile_seconds"] == 9 + 9


@pytest.mark.usefixtures("compiling")
@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_trials_that_go_on_together_keep_their_own_seconds(order, slow):
    """They stopped at one step, but one was alone and the other among three."""
    states = [slow((0,), path="compiled"), slow((1, 2, 3), path="compiled")]
    for ready in states:
        ready.run(0.5)
    both = slow((0, 1), path="compiled")
    for replica in order:
        both.restore(*states[replica].state(0), replica)
    both.run(1.0)
    assert [both.meter_of(replica).seconds for replica in (0, 1)] == [6 * STEP + 3 * STEP, 2 * STEP + 3 * STEP]
    assert [both.meter_of(replica).compile_seconds for replica in (0, 1)] == [9 + 4.5, 3 + 4.5]
    assert [both.state(replica)[1]["seconds"] for replica in (0, 1)] == [9 * STEP, 5 * STEP]


def test_clock_waits_for_its_own_device_before_it_looks(monkeypatch):
    waited = []
    monkeypatch.setattr(torch.cuda, "synchronize", lambda device: waited.append((str(device), time.perf_counter())))
    clock = Clock("cuda:1")
    now = clock.now()
    assert clock.waits
    ((device, moment),) = waited
    assert device == "cuda:1"
    assert moment <= now


def test_clock_of_a_processor_waits_for_nothing(monkeypatch):
    monkeypatch.setattr(torch.cuda, "synchronize", pytest.fail)
    monkeypatch.setattr(meter.time, "perf_counter", lambda: 3.0)
    assert not Clock("cpu").waits
    assert Clock("cpu").now() == 3.0


def test_units_are_those_of_a_budget_and_nothing_else():
    found = Meter(1, 2, 3, 4.0, 5.0)
    assert found.units == {"steps": 1, "updates": 2, "samples": 3, "seconds": 4.0}
    assert {kind: found.used(kind) for kind in found.units} == found.units
