"""One method, several paths: plain, stacked, compiled and captured agree within rounding.

They are compared in double precision, where rounding stays far below every difference that a mistake could make. In
single precision Adam and RMSProp blow it up: a Wasserstein critic's last bias, say, has a gradient of zero, of which
nothing but rounding is left to be divided by its own size.
"""

from dataclasses import replace
from functools import partial

import pytest
import torch
from agreement import far_apart
from torch import nn

from genbench.engine import EXACT, Numerics, paths, stacked
from genbench.engine.training import Training
from genbench.errors import GenbenchError
from genbench.registry import datasets, trainers
from genbench.spec import Budget, Component, Trial
from genbench.trials.resources import build_dataset

pytestmark = pytest.mark.usefixtures("double")

TOLERANCE = 1e-6
"""The largest difference of a weight after 100 updates, in units of the largest weight."""

SIZE = "width=16,batch=32,lr=1e-3"
STACKABLE = [
    f"gan[{SIZE}]",
    f"gan[{SIZE},smoothing=true,loss=minimax,schedule=cosine]",
    f"gan[{SIZE},optimizer=sgd,beta1=0.9]",
    f"gan[{SIZE},optimizer=sgd,beta1=0]",
    f"wgan[{SIZE}]",
    f"wgan-gp[{SIZE},critic_steps=3]",
]
DEFAULTS = [f"{name}[{SIZE}]" for name in ("gan", "wgan", "wgan-gp")]
STEPS = {"gan": 50, "wgan": 34, "wgan-gp": 34}
needs_cuda = pytest.mark.skipif(not torch.cuda.is_available(), reason="CUDA graphs need a CUDA device")


def trial(trainer, seed, budget="steps=60"):
    return Trial(
        dataset=Component.resolve(datasets, "ring8"),
        trainer=Component.resolve(trainers, trainer),
        budget=Budget.parse(budget),
        seed=seed,
    )


def ready(trainer, seeds=(0,), engine="plain", budget="steps=60", device="cpu", numerics=EXACT):
    trials = [trial(trainer, seed, budget) for seed in seeds]
    return Training(trials, build_dataset(trials[0].dataset), device, engine, numerics)


@pytest.fixture
def single(double):
    torch.set_default_dtype(torch.float32)


def trained(training, steps):
    training.run(steps / training.budget.amount)
    return training


@pytest.mark.usefixtures("eager")
@pytest.mark.parametrize("trainer", STACKABLE)
def test_stacked_replicas_agree_with_plain_ones(trainer):
    steps = STEPS[trainer.partition("[")[0]]
    stack = trained(ready(trainer, (3, 0, 5), "compiled"), steps)
    for replica, seed in enumerate((3, 0, 5)):
        alone = trained(ready(trainer, (seed,)), steps)
        assert alone.meter.updates == stack.meter.updates >= 100
        assert far_apart(stack.stack.weights(replica), alone.stack.weights(0)) < TOLERANCE
        assert stack.losses.keys() == alone.losses.keys()
        for name, losses in alone.losses.items():
            assert stack.losses[name][replica].item() == pytest.approx(losses.item(), rel=1e-6)


@pytest.mark.usefixtures("eager")
def test_stacked_networks_with_buffers_agree_with_plain_ones():
    """Over a few steps: its maxout multiplies rounding by a million in a hundred updates."""
    trainer = f"gan[{SIZE},networks=pacgan]"
    stack = trained(ready(trainer, (3, 0), "compiled"), 10)
    for replica, seed in enumerate((3, 0)):
        alone = trained(ready(trainer, (seed,)), 10)
        assert far_apart(stack.stack.weights(replica), alone.stack.weights(0)) < 1e-9


@pytest.mark.parametrize("seeds", [(0,), (0, 1)], ids=["one", "two"])
@pytest.mark.parametrize("trainer", DEFAULTS)
def test_compiled_updates_agree_with_plain_ones(trainer, seeds):
    steps = STEPS[trainer.partition("[")[0]]
    stack = trained(ready(trainer, seeds, "compiled"), steps)
    assert stack.path.name == "compiled"
    alone = trained(ready(trainer), steps)
    assert far_apart(stack.stack.weights(0), alone.stack.weights(0)) < TOLERANCE


ROUNDING = [
    "gan[lr=1e-3]",
    "wgan[lr=1e-3]",
    "wgan-gp[lr=1e-3]",
    f"sngan[{SIZE}]",
    f"veegan[{SIZE},beta2=0.9]",
]
"""Among them those whose code for one replica without a loop would sum, and take powers of 31 and more, otherwise."""


@pytest.mark.usefixtures("single")
@pytest.mark.parametrize("trainer", ROUNDING)
def test_compiled_seed_has_the_same_bits_in_every_stack(trainer):
    alone, among = (trained(ready(trainer, seeds, "compiled"), 40) for seeds in ((2,), (0, 1, 2)))
    assert alone.path.name == among.path.name == "compiled"
    assert alone.weights_sha256(0) == among.weights_sha256(2)
    assert alone.losses.keys() == among.losses.keys()
    assert all(torch.equal(losses, among.losses[name][2:]) for name, losses in alone.losses.items())


@pytest.mark.slow
@pytest.mark.usefixtures("single")
@pytest.mark.parametrize("trainer", [entry.name for entry in trainers if entry.is_own])
def test_compiled_seed_of_every_trainer_has_the_same_bits_in_every_stack(trainer):
    """Over so many steps that a second moment's power rounds otherwise at some, if it does at all."""
    stacks = [trained(ready(trainer, range(2, 2 + size), "compiled", "steps=600"), 360) for size in (1, 2, 3, 5)]
    assert len({stack.weights_sha256(0) for stack in stacks}) == 1


@pytest.mark.usefixtures("single")
def test_a_budget_in_seconds_is_the_lone_trials_own():
    """It is computed without a double, whose time would be taken from it."""
    alone = ready("gan[lr=1e-3]", (2,), "compiled", "seconds=5")
    assert len(next(iter(alone.stack._weights["generator"].values()))) == 1
    assert len(next(iter(ready("gan[lr=1e-3]", (2,), "compiled").stack._weights["generator"].values()))) == 2


@needs_cuda
@pytest.mark.parametrize("trainer", DEFAULTS)
def test_captured_updates_agree_with_plain_ones(trainer):
    stack = trained(ready(trainer, (0, 1), "graph", device="cuda"), 34)
    assert stack.path.name == "graph"
    alone = trained(ready(trainer, device="cuda"), 34)
    assert far_apart(stack.stack.weights(0), alone.stack.weights(0)) < TOLERANCE


@pytest.mark.usefixtures("eager")
def test_replica_sees_the_same_draws_alone_and_among_others():
    stack, alone = ready(DEFAULTS[2], (4, 7, 9), "compiled"), ready(DEFAULTS[2], (7,))
    for _ in range(paths.Feeds([alone.stack._feeds._feeds[0]]).length + 2):
        together, own = stack.stack._feeds.next(), alone.stack._feeds.next()
        for one, other in zip(together, own, strict=True):
            assert all(torch.equal(one[name][:, 1:2], other[name]) for name in other)


@pytest.mark.usefixtures("eager")
def test_stack_goes_on_from_its_replicas_states():
    whole, first = (ready(DEFAULTS[2], (0, 1), "compiled", "steps=200") for _ in range(2))
    trained(whole, 140)
    for steps in (5, 128, 130):
        trained(first, steps)
        second = ready(DEFAULTS[2], (0, 1), "compiled", "steps=200")
        for replica in range(2):
            second.restore(*first.state(replica), replica)
        trained(second, 140)
        assert [second.weights_sha256(i) for i in range(2)] == [whole.weights_sha256(i) for i in range(2)], steps


@pytest.mark.usefixtures("eager")
@pytest.mark.parametrize("trainer", DEFAULTS)
def test_checkpoint_of_one_path_goes_on_on_the_other(trainer):
    plain, stacked = trained(ready(trainer), 20), ready(trainer, engine="compiled")
    tensors, meter = plain.state()
    stacked.restore({name: tensor.clone() for name, tensor in tensors.items()}, meter)
    trained(plain, 40), trained(stacked, 40)
    assert far_apart(stacked.stack.weights(0), plain.stack.weights(0)) < TOLERANCE


@pytest.mark.usefixtures("eager")
def test_replica_that_diverges_leaves_the_others_alone():
    stack, alone = ready(DEFAULTS[0], (0, 1), "compiled"), ready(DEFAULTS[0], (1,), "compiled")
    stack.stack.weights(0)["generator.0.weight"].fill_(torch.nan)
    trained(stack, 60), trained(alone, 60)
    assert stack.diverged.keys() == {0}
    assert far_apart(stack.stack.weights(1), alone.stack.weights(0)) < TOLERANCE


@pytest.mark.parametrize(
    ("trainer", "engine", "budget", "name", "reason"),
    [
        ("gan", "plain", "steps=6000", "plain", "asked for"),
        ("gan[networks=pacgan]", "auto", "steps=6000", "compiled", "12000 updates repay compiling"),
        ("gan", "auto", "seconds=4.9", "plain", "4.9 seconds don't repay compiling"),
        ("gan", "auto", "seconds=5", "compiled", "5 seconds repay compiling"),
        ("gan", "auto", "steps=2499", "plain", "4998 updates don't repay compiling"),
        ("gan", "auto", "steps=2500", "compiled", "5000 updates repay compiling"),
        ("wgan-gp[critic_steps=4]", "auto", "samples=1024000", "compiled", "5000 updates repay compiling"),
        ("gan", "compiled", "steps=1", "compiled", "asked for"),
    ],
)
@pytest.mark.usefixtures("eager")
def test_path_and_its_reason(trainer, engine, budget, name, reason):
    assert ready(trainer, engine=engine, budget=budget).path == (name, reason, False)


@pytest.fixture
def without_compiler(monkeypatch):
    def refuse(update, arguments):
        raise RuntimeError("No working C++ compiler found.\nMore about it.")

    monkeypatch.setattr(stacked, "compiled", refuse)
    monkeypatch.setattr(stacked, "_compiled", {})
    monkeypatch.setattr(paths, "_failures", {})


@pytest.mark.usefixtures("without_compiler")
def test_method_that_does_not_compile_trains_plainly_and_says_why(monkeypatch):
    for _ in range(2):
        training = ready("gan", engine="auto", budget="steps=6000")
        assert training.path == ("plain", "compiled failed: RuntimeError: No working C++ compiler found.", True)
        trained(training, 3)
        monkeypatch.setattr(stacked, "compiled", pytest.fail)


@pytest.mark.usefixtures("without_compiler")
def test_engine_that_was_asked_for_and_fails_is_an_error():
    for _ in range(2):
        with pytest.raises(GenbenchError, match=r"gan can't be trained with --engine compiled: .*No working C\+\+"):
            ready("gan", engine="compiled")


@pytest.mark.parametrize(
    ("numerics", "why"),
    [
        (Numerics(channels_last=True), "only plainly can .* channels lie last"),
        (Numerics(autocast=True), "only plainly can layers be cast"),
    ],
)
def test_engine_that_a_method_cannot_take_is_an_error(numerics, why):
    with pytest.raises(GenbenchError, match=f"can't be trained with --engine compiled: {why}"):
        ready("gan", engine="compiled", numerics=numerics)


@pytest.mark.parametrize("part", ["trainer", "dataset"])
def test_trial_of_another_source_than_is_loaded_is_not_trained(part):
    """A worker imports a plugin anew, which may have been edited since the run was planned."""
    planned = trial("gan", 0)
    other = getattr(planned, part).model_copy(update={"source": {"sha256": "0" * 64}})
    with pytest.raises(GenbenchError, match=r"The plugin behind (gan|ring8) was edited since"):
        Training([planned.model_copy(update={part: other})], build_dataset(planned.dataset))


def test_what_cannot_be_stacked_says_so():
    with pytest.raises(GenbenchError, match="trains one seed at a time: 120 updates don't repay compiling"):
        ready("gan", (0, 1), "auto")


def test_convolutions_with_buffers_stay_plain_on_a_processor(assembled):
    """Those without buffers, and normalised layers without convolutions, are compiled."""

    def normalised(problem, layers):
        critic = nn.Sequential(*layers, nn.BatchNorm1d(1), nn.Flatten(), nn.Linear(2, 1))
        method = trainers.build("gan[width=8]", problem)
        networks = {**method.networks, "discriminator": problem.initialised("critic", lambda rng: critic)}
        return replace(method, networks=networks)

    for layers, name in (
        ([nn.Unflatten(1, (1, 2)), nn.Conv1d(1, 1, 1)], "plain"),
        ([nn.Unflatten(1, (1, 2))], "compiled"),
    ):
        training = assembled(partial(normalised, layers=layers), "auto", budget="steps=6000")
        assert training.path.name == name
        assert (training.path.reason == paths.CONVOLVES) == (name == "plain")
