"""What a trainer keeps to: it learns, repeats itself to the bit, goes on where it was cut off, and disturbs nothing."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import torch
from torch.optim.optimizer import register_optimizer_step_post_hook

from genbench import seeding
from genbench.contract.blob import Blob
from genbench.contract.findings import Broken, number, require
from genbench.contract.likelihoods import likelihood_is_a_density
from genbench.contract.streams import global_streams_left_alone, stream
from genbench.contract.trained import Ended, TrainerCase, left_by
from genbench.engine.bound import Bound
from genbench.engine.feed import Feed, Feeds
from genbench.engine.inner import Answered, ahead_of, copied, live
from genbench.engine.method import OF_EVERY_BATCH, Batch, Method, Networks
from genbench.engine.paths import EngineRefused, build
from genbench.engine.training import GLOBAL, Stopped
from genbench.errors import Skip

LONG = 3_000
"""Steps after which a trainer should have learnt a Gaussian, if not before."""

LOOK_EVERY = 50
MEAN_OFF, STD_RATIO = 0.75, 2.0
"""How far a learnt Gaussian's mean may lie off, in stds, and by which factor its spread. gan, wgan and wgan-gp stay
within 0.5 and 1.5 in the long run, and get there within 150 steps at seeds 0 to 2; a generator that learns nothing is
off by more than one std and by a factor of ten."""

PATHS_APART = (1e-3, 3e-3, 1e-2)
"""How far apart losses of the plain and of the compiled path may lie in each of the first steps, in units of
1 + |loss|: rounding, which training amplifies."""

MOST_STEPS = 20
"""Steps that twice the cost of the first one may last for: lazy phases have their turn in it."""

SLOWEST_STEP = 5.0
"""Seconds of a generator step, which is what a budget in seconds may be overdrawn by."""


def steps(case: TrainerCase) -> str:
    """A generator step gives losses, one finite number each, and counts its updates and real samples."""
    training = case.training()
    losses = training.stack.step(0.0)
    require(bool(losses), "A step gives no losses. Return them by name.")
    for name, loss in losses.items():
        require(loss.shape == (1,), f"The loss {name} is no single number.")
        require(bool(torch.isfinite(loss).all()), f"The loss {name} is {loss.item()} after the first step.")
        require(not loss.requires_grad, f"The loss {name} still asks for gradients: detach it.")
    require(training.stack.updates >= 1, "A step counts no update.")
    return f"A step trains by {', '.join(losses)}: {_counted(training.stack.updates, 'update')}."


def every_network_learns(case: TrainerCase) -> str:
    """Each network that is to learn has other weights after a few steps."""
    before = case.training().stack.weights(0)
    require(bool(before), "weights() is empty: give the networks' parameters, as network.parameter.")
    misnamed = [name for name in before if not all(name.partition(".")[::2])]
    require(not misnamed, f"The weight {misnamed[:1]} must be named network.parameter.")
    before = {name: value.clone() for name, value in before.items()}
    training = case.training()
    training.run(1.0)
    after = training.stack.weights(0)
    kept = {name: (value.shape, value.dtype) for name, value in before.items()}
    require(
        kept == {name: (value.shape, value.dtype) for name, value in after.items()},
        "Weights change their names, shapes or types while it trains.",
    )
    moved = {_network(name) for name, value in after.items() if not torch.equal(value, before[name])}
    learning = {name for phase in case.method.phases for name in phase.networks} if case.method else set()
    still = sorted(learning - moved)
    require(not still, f"{', '.join(still)} didn't change in {case.steps} steps: does the loss reach the weights?")
    require(bool(moved), f"No weight changed in {case.steps} steps.")
    return f"Weights that changed in {case.steps} steps are those of {', '.join(sorted(moved))}."


def samples_fit_the_data(case: TrainerCase) -> str:
    """Samples are finite, of the data's shape, and come from the stream that is given."""
    stack, shape = case.training().stack, tuple(case.data.event_shape)
    for n in (1, 33):
        samples = stack.sample(n, [stream()])[0]
        require(tuple(samples.shape) == (n, *shape), f"{n} samples have the shape {tuple(samples.shape)}.")
        require(samples.dtype == torch.float32, f"Samples are {samples.dtype}: make them torch.float32.")
        require(bool(torch.isfinite(samples).all()), "Samples are not all finite before any training.")
        require(not samples.requires_grad, "Samples still ask for gradients: detach them.")
    require(
        torch.equal(stack.sample(33, [stream()]), samples[None]),
        "Two calls of sample with the same stream give other samples: draw from rng alone, and change nothing.",
    )
    require(
        not torch.equal(stack.sample(33, [stream(1)]), samples[None]),
        "sample gives the same for another stream: draw its noise from rng.",
    )
    return f"Samples are {_shape(shape)}, from the stream that is given."


def losses_are_pure(case: TrainerCase) -> str:
    """A loss that is called twice with the same networks and the same batch says the same."""
    if case.method is None:
        raise Skip("it is no list of phases")
    for name, first, second in _twice(case):
        require(
            first == second,
            f"The loss {name} is {number(first)} and then {number(second)} for the same networks and the same batch: "
            "it draws from a generator of its own, counts its calls or reads the time. Let the phase draw.",
        )
    return "Each loss depends on its networks and its batch alone."


def two_runs_are_equal(case: TrainerCase) -> str:
    """One seed leaves one set of bits, another seed others."""
    again = case.ended(case.seed)
    require(
        again.sha256 == case.whole.sha256,
        f"Two runs of one seed end with other weights after {case.steps} steps: something is drawn, or read, that the "
        "seed doesn't decide, such as the time, a generator of its own, or what an earlier run left in the module.",
    )
    require(_same(again, case.whole) is None, f"Two runs of one seed differ in {_same(again, case.whole)}.")
    require(case.other.sha256 != again.sha256, "Two seeds end with the same weights: nothing depends on the seed.")
    return f"Two runs of a seed are equal to the bit after {case.steps} steps, and another seed's is not."


def resumes(case: TrainerCase) -> str:
    """Cut off half-way and restored from its checkpoint in a new training, it ends at the same bits."""
    first, second = case.training(), case.training()
    first.run(0.5)
    half = left_by(first)
    second.restore(half.state, half.meter)
    second.run(1.0)
    ended = left_by(second)
    differs = "the weights" if ended.sha256 != case.whole.sha256 else _same(ended, case.whole)
    require(
        differs is None,
        f"Cut off half-way and resumed, it ends with others in {differs}: what a step reads must be in the "
        "checkpoint, and not in a variable beside it.",
    )
    return "Cut off half-way and resumed from its checkpoint, it ends at the same bits."


def looking_disturbs_nothing(case: TrainerCase) -> str:
    """Sampled at one checkpoint or at every step, it ends with the same weights."""
    training = case.training()
    for i in range(case.steps):
        training.run((i + 1) / case.steps)
        training.stack.sample(8, [stream(i)])
        training.state()
    ended = left_by(training)
    differs = "the weights" if ended.sha256 != case.whole.sha256 else _same(ended, case.whole)
    require(
        differs is None,
        f"Sampled at {case.steps} checkpoints instead of none, it ends with others in {differs}: sample, state_dict "
        "and weights must change nothing that training reads.",
    )
    return f"With one checkpoint or {case.steps} it ends at the same bits."


def leaves_global_state_alone(case: TrainerCase) -> str:
    """The process's global random streams stay as they are, and nothing seeds those that a trial is lent."""
    with global_streams_left_alone("It"):
        training = case.training()
        training.run(1.0)
        training.stack.sample(5, [stream()])
        tensors, meter = training.state()
        training.restore(tensors, meter)
    shared = [
        name.removeprefix(GLOBAL)
        for name, state in case.whole.state.items()
        if name.startswith(GLOBAL) and torch.equal(state, case.other.state[name])
    ]
    require(
        not shared,
        f"It seeds the global random stream of {', '.join(shared)} while it trains, so that every step and every seed "
        "draw the same. Leave out manual_seed and seed.",
    )
    return "torch's, NumPy's and Python's global random streams are as they were."


def respects_its_budget(case: TrainerCase) -> str:
    """It stops at its budget in any unit, and a generator step is small enough to stop after."""
    training = case.training()
    with optimizer_steps() as counted:
        started = time.perf_counter()
        training.stack.step(0.0)
        seconds = time.perf_counter() - started
    updates, samples = training.stack.updates, training.stack.samples
    most = max(counted.values(), default=0)
    require(
        most <= updates,
        f"A generator step is said to be {_counted(updates, 'update')}, and one optimizer takes {most} steps in it: "
        "say so in updates_per_step, or let step do less.",
    )
    require(
        seconds < SLOWEST_STEP,
        f"A generator step takes {number(seconds)} s, so that a budget in seconds can't be kept: let step do less.",
    )
    if samples == 0:
        raise Broken("A generator step draws no real samples from its stream, so a budget in samples never ends.")
    for kind, each in (("steps", 1), ("updates", updates), ("samples", samples)):
        amount = 2 * each
        training = case.training(budget=f"{kind}={amount}")
        with suppress(Stopped):
            training.run(1.0, stop=lambda meter: meter.steps >= MOST_STEPS)
        used = training.meter.used(kind)
        require(
            amount <= used <= amount + each and training.meter.steps < MOST_STEPS,
            f"With a budget of {kind}={amount}, twice what its first step costs, it stops after "
            f"{training.meter.steps} steps at {used:g}: let all steps cost about the same.",
        )
    return f"It stops where a budget says so: a step is {_counted(updates, 'update')} and {samples} real samples."


def stacks_and_compiles(case: TrainerCase) -> str:
    """Seeds train together as compiled updates that do what the plain path does; or else why they don't."""
    seeds = (case.seed, case.seed + 1)
    plain = [case.training(seed) for seed in seeds]
    try:
        stacked = case.training(*seeds, engine="compiled")
    except EngineRefused as refused:
        raise Skip(f"it trains plainly, one seed at a time: {refused.reason}") from None
    again = case.training(*seeds, engine="compiled")
    for step, apart in enumerate(PATHS_APART, 1):
        share = step / case.steps
        for training in (*plain, stacked, again):
            training.run(share)
        for name, losses in stacked.losses.items():
            for seed, training, loss in zip(seeds, plain, losses.tolist(), strict=True):
                expected = training.losses[name].item()
                require(
                    abs(loss - expected) <= apart * (1 + abs(expected)),
                    f"Compiled, the loss {name} of step {step} at seed {seed} is {loss:.5g}, and "
                    f"{expected:.5g} plainly: something that a loss draws, counts or reads beside its batch was "
                    "fixed when it was compiled.",
                )
    for replica in range(len(seeds)):
        equal = stacked.weights_sha256(replica) == again.weights_sha256(replica)
        require(equal, "Two compiled runs of one seed are not equal to the bit.")
    return f"Seeds train together as compiled updates, made in {len(seeds) * stacked.meter.compile_seconds:.0f} s."


def learns_a_gaussian(case: TrainerCase) -> str:
    """Mean and spread of its samples move to those of a single Gaussian in the plane."""
    if not isinstance(case.data, Blob):
        raise Skip("it is checked in the plane, and this trainer was given other data")
    training, started = case.training(budget=f"steps={LONG}"), time.perf_counter()
    begun = off, ratios = case.data.miss(training.stack.sample(1_000, [stream()])[0])
    within = 0
    while within < 2:
        late = time.perf_counter() - started > case.patience
        if training.diverged:
            raise Broken(f"It diverges: {training.diverged[0]}.")
        require(
            training.meter.steps < LONG and not late,
            f"After {training.meter.steps} steps{' and the time that it was given' if late else ''} its mean is off by "
            f"{number(off)} stds and its spread by factors of {_factors(ratios)}; it began with {number(begun[0])} and "
            f"{_factors(begun[1])}. Allowed are {MEAN_OFF} and {1 / STD_RATIO} to {STD_RATIO}."
            + (" --patience gives it more time." if late else ""),
        )
        training.run((training.meter.steps + LOOK_EVERY) / LONG)
        off, ratios = case.data.miss(training.stack.sample(1_000, [stream()])[0])
        right = off <= MEAN_OFF and all(1 / STD_RATIO <= ratio <= STD_RATIO for ratio in ratios)
        within = within + 1 if right else 0
    return (
        f"After {training.meter.steps} steps its mean is off by {number(off)} stds and its spread by factors of "
        f"{_factors(ratios)}."
    )


QUICK = (
    steps,
    every_network_learns,
    samples_fit_the_data,
    likelihood_is_a_density,
    losses_are_pure,
    two_runs_are_equal,
    resumes,
    looking_disturbs_nothing,
    leaves_global_state_alone,
    respects_its_budget,
)
CHECKS = (*QUICK, learns_a_gaussian, stacks_and_compiles)


@contextmanager
def optimizer_steps() -> Iterator[Counter[int]]:
    """Counts within how many steps each of torch's optimizers takes, by its identity."""
    counted: Counter[int] = Counter()

    def count(optimizer: torch.optim.Optimizer, *_: object) -> None:
        counted[id(optimizer)] += 1

    handle = register_optimizer_step_post_hook(count)
    try:
        yield counted
    finally:
        handle.remove()


def _twice(case: TrainerCase) -> Iterator[tuple[str, float, float]]:
    """Each phase's name, and its loss in two calls on copies of the same networks, in the same streams."""
    problem = case.problem_of(case.data)
    method = build(case.component, problem)
    assert isinstance(method, Method)
    feeds = Feeds([Feed(method, case.data, problem)])
    moment = {name: torch.zeros(()) for name in OF_EVERY_BATCH}
    for name, phase, draws in zip(method.names, method.phases, feeds.next(), strict=True):
        batch = Batch({key: tensor[0, 0] for key, tensor in (draws or {}).items()} | moment)
        values = []
        for _ in range(2):
            bound = {key: Bound(network, copied(network)) for key, network in method.networks.items()}
            networks = Networks(bound, ahead_of(method, phase))
            with problem.global_streams(seeding.GLOBAL_TRAINING), Answered(live(stream())):
                values.append(phase.loss(networks, batch).detach().item())
        yield name, values[0], values[1]


def _same(one: Ended, other: Ended) -> str | None:
    """What of two states differs, by its name; None where nothing does."""
    if one.state.keys() != other.state.keys():
        return "what a checkpoint holds"
    return next((name for name, value in one.state.items() if not torch.equal(value, other.state[name])), None)


def _network(weight: str) -> str:
    return weight.partition(".")[0]


def _counted(count: int, what: str) -> str:
    return f"{count} {what}{'' if count == 1 else 's'}"


def _shape(shape: tuple[int, ...]) -> str:
    return " × ".join(map(str, shape)) + (" numbers each" if len(shape) == 1 else " each")


def _factors(ratios: tuple[float, float]) -> str:
    return " and ".join(map(number, ratios))
