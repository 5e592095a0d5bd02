"""Training stops on its budget, resumes to the same bits, and leaves the finite numbers only with a word."""

import math
import random
import re
from pathlib import Path

import pytest
import torch

from genbench import api
from genbench.engine import training as engine
from genbench.engine.training import Stopped
from genbench.plugins import load_plugin
from genbench.records.commit import load_checkpoint, save_checkpoint

PLUGIN = Path(__file__).parent.parent / "plugin/genbench_crescent.py"
SMALL = {
    "gan": "gan[width=8,batch=16]",
    "wgan": "wgan[width=8,batch=16]",
    "wgan-gp": "wgan-gp[width=8,batch=16]",
}
OPTIMIZERS = {
    "adam": "gan[width=8,batch=16,optimizer=adam]",
    "adam without momentum": "gan[width=8,batch=16,optimizer=adam,beta1=0]",
    "rmsprop": "gan[width=8,batch=16,optimizer=rmsprop]",
    "sgd": "gan[width=8,batch=16,optimizer=sgd,beta1=0]",
    "sgd with momentum": "gan[width=8,batch=16,optimizer=sgd,beta1=0.9]",
    "batch normalisation": "gan[width=8,batch=16,networks=pacgan]",
    "smoothing": "gan[width=8,batch=16,smoothing=true]",
    "falling rates": "gan[width=8,batch=16,schedule=cosine]",
}


def stop_at(steps):
    return lambda meter: meter.steps >= steps


@pytest.mark.parametrize(
    ("trainer", "budget", "steps"),
    [
        (SMALL["gan"], "steps=7", 7),
        ("wgan-gp[width=8,batch=16,critic_steps=2]", "updates=21", 7),
        ("wgan-gp[width=8,batch=16,critic_steps=2]", "updates=20", 7),
        ("wgan-gp[width=8,batch=16,critic_steps=2]", "updates=22", 8),
        ("wgan-gp[width=8,batch=16,critic_steps=2]", "samples=96", 3),
        ("wgan-gp[width=8,batch=16,critic_steps=2]", "samples=97", 4),
        (SMALL["gan"], "samples=1", 1),
    ],
)
def test_stops_at_the_first_step_that_uses_the_budget_up(trainer, budget, steps, training):
    ready = training(trainer, budget=budget)
    ready.run(until=1.0)
    critic_steps = 2 if "critic_steps=2" in trainer else 1
    per_step = critic_steps + 1
    assert ready.meter.steps == steps
    assert ready.meter.updates == steps * per_step
    assert ready.meter.samples == ready.stack.samples == steps * critic_steps * 16
    assert ready.progress >= 1


def test_stops_at_the_first_step_after_its_seconds(training):
    ready, seen = training(budget="seconds=0.05"), []
    ready.run(until=1.0, stop=lambda meter: seen.append(meter.seconds))
    assert all(seconds < 0.05 for seconds in seen[:-1])
    assert seen[-1] == ready.meter.seconds >= 0.05


def test_runs_to_a_share_and_no_further(training):
    ready = training(budget="steps=10")
    for until, steps in ((0.3, 3), (0.3, 3), (0.35, 4), (1.0, 10), (1.0, 10)):
        ready.run(until)
        assert ready.meter.steps == steps


def test_stop_is_asked_after_every_step_and_obeyed(training):
    ready, asked = training(), []
    with pytest.raises(Stopped):
        ready.run(1.0, lambda meter: asked.append(meter.steps) or meter.steps == 5)
    assert asked == [1, 2, 3, 4, 5]
    assert ready.meter.steps == 5


@pytest.mark.parametrize("trainer", SMALL.values(), ids=SMALL)
def test_same_trial_has_the_same_weights_and_another_seed_others(trainer, training):
    hashes = []
    for seed in (0, 0, 1):
        ready = training(trainer, seed=seed)
        ready.run(1.0)
        hashes.append(ready.weights_sha256())
    assert hashes[0] == hashes[1] != hashes[2]


@pytest.mark.parametrize("trainer", [*SMALL.values(), *OPTIMIZERS.values()], ids=[*SMALL, *OPTIMIZERS])
def test_resumed_training_ends_at_the_same_bits(trainer, training, tmp_path):
    whole = training(trainer)
    whole.run(1.0)
    first = training(trainer)
    with pytest.raises(Stopped):
        first.run(1.0, stop_at(5))
    save_checkpoint(tmp_path, *first.state())
    second = training(trainer)
    second.restore(*load_checkpoint(tmp_path))
    second.run(1.0)
    assert second.weights_sha256() == whole.weights_sha256()
    assert (second.meter.steps, second.meter.updates, second.meter.samples) == (
        whole.meter.steps,
        whole.meter.updates,
        whole.meter.samples,
    )
    assert second.meter.seconds > first.meter.seconds


def test_state_before_the_first_step_is_whole(training):
    whole, fresh = training(), training()
    whole.run(1.0)
    fresh.restore(*training().state())
    fresh.run(1.0)
    assert fresh.weights_sha256() == whole.weights_sha256()


@pytest.mark.parametrize("trainer", SMALL.values(), ids=SMALL)
def test_sampling_along_the_way_changes_nothing(trainer, training):
    plain, watched = training(trainer), training(trainer)
    plain.run(1.0)
    for i in range(1, 13):
        watched.run(i / 12)
        watched.stack.sample(10, [torch.Generator().manual_seed(i)])
        watched.stack.landscape(torch.zeros(3, 2))
        watched.state()
    assert watched.weights_sha256() == plain.weights_sha256()


@pytest.mark.parametrize("trainer", [*SMALL.values(), OPTIMIZERS["batch normalisation"]])
def test_global_streams_are_left_alone(trainer, training):
    torch.manual_seed(11)
    before = torch.get_rng_state(), random.getstate()
    ready = training(trainer)
    ready.run(1.0)
    first = ready.weights_sha256()
    after = torch.get_rng_state(), random.getstate()
    assert torch.equal(before[0], after[0])
    assert before[1] == after[1]
    torch.manual_seed(12)
    again = training(trainer)
    again.run(1.0)
    assert again.weights_sha256() == first


def test_hash_sees_a_single_bit(training):
    ready = training()
    before = ready.weights_sha256()
    weight = next(iter(ready.stack.weights(0).values()))
    weight.view(-1)[0] = torch.nextafter(weight.view(-1)[0], torch.tensor(torch.inf))
    assert ready.weights_sha256() != before


def test_methods_see_the_same_data_and_start_alike_at_one_seed(training):
    pairs = [training(trainer) for trainer in ("wgan[width=8,batch=16]", "wgan-gp[width=8,batch=16]")]
    (one, other) = (ready.stack._feeds.next()[0]["real"] for ready in pairs)
    assert torch.equal(one, other)
    assert pairs[0].weights_sha256() == pairs[1].weights_sha256()


def linear(problem, loss, **details):
    """A method of two linear maps with one phase that trains the generator by `loss`."""
    prior = api.Normal((2,))
    return api.Method(
        networks={
            "generator": problem.initialised("generator", lambda rng: torch.nn.Linear(2, 2)),
            "critic": problem.initialised("critic", lambda rng: torch.nn.Linear(2, 1)),
        },
        phases=[api.Phase("generator", loss, {"noise": prior, "real": api.Real()})],
        optimizers={"generator": api.Optimizer(**{"name": "sgd", "lr": 0.1, "beta1": 0.0, **details})},
        prior=prior,
        batch=16,
    )


@pytest.mark.usefixtures("forgetful")
class TestDivergence:
    """A trainer that leaves the finite numbers."""

    def test_of_the_loss_at_the_end(self, training):
        api.trainer("nan")(
            lambda problem: linear(problem, lambda nets, batch: nets.generator(batch.noise).mean() * torch.nan)
        )
        ready = training("nan")
        ready.run(1.0)
        assert ready.diverged == {0: "the generator's loss became nan by generator step 12"}

    def test_of_the_loss_long_before_the_end(self, training):
        api.trainer("nan")(
            lambda problem: linear(problem, lambda nets, batch: nets.generator(batch.noise).mean() * torch.nan)
        )
        ready = training("nan", budget="steps=100000")
        ready.run(1.0)
        assert ready.diverged[0].endswith(f"by generator step {engine.CHECK_EVERY}")
        assert ready.meter.steps == engine.CHECK_EVERY

    def test_of_the_weights_while_the_loss_is_still_finite(self, training):
        api.trainer("huge")(
            lambda problem: linear(problem, lambda nets, batch: 1e3 * nets.generator(batch.noise).mean(), lr=1e38)
        )
        ready = training("huge", budget="steps=1")
        ready.run(1.0)
        assert re.fullmatch(r"generator\.\w+ is no longer finite at generator step 1", ready.diverged[0])

    def test_by_a_learning_rate_that_is_far_too_large(self, training):
        ready = training("wgan-gp[width=8,batch=16,lr=1e30]", budget="steps=100")
        ready.run(1.0)
        assert 0 in ready.diverged


@pytest.mark.usefixtures("forgetful")
class TestTrainerThatIsNoListOfPhases:
    """The wider protocol goes through the same training."""

    @pytest.fixture(autouse=True)
    def plugin(self):
        load_plugin(str(PLUGIN))

    def test_trains_and_is_metered(self, training):
        ready = training("moments[batch=32]", dataset="crescent", budget="samples=3200")
        ready.run(1.0)
        assert (ready.meter.steps, ready.meter.updates, ready.meter.samples) == (100, 100, 3200)
        assert ready.stack.sample(5, [torch.Generator()]).shape == (1, 5, 2)
        assert ready.stack.trainer.mean.tolist() == pytest.approx([0, 2 / math.pi], abs=0.1)

    def test_resumes_to_the_same_bits(self, training):
        whole, first, second = (training("moments", dataset="crescent") for _ in range(3))
        whole.run(1.0)
        first.run(0.5)
        second.restore(*first.state())
        second.run(1.0)
        assert second.weights_sha256() == whole.weights_sha256()
