"""A plugin of things that each break one promise of the contract, and of a few that keep all."""

from __future__ import annotations

import math
import random
import time
from itertools import count

import numpy as np
import torch
import torchmetrics
from torch import nn

from genbench import api

CALLS = count()
OF_THE_MODULE = np.random.default_rng(0)


def trainer_of(name, loss, lr=0.1):
    """A generator with one phase; `loss()` gives what is added to the distance of the means."""

    def make(problem: api.Problem) -> api.Method:
        noise, more = api.Normal((2,)), loss()

        def distance(nets, batch):
            gap = nets.generator(batch.noise).mean(0) - batch.real.mean(0)
            return gap.square().sum() + more(gap)

        return api.Method(
            networks={"generator": problem.initialised("generator", lambda rng: nn.Linear(2, 2))},
            phases=[api.Phase("generator", distance, {"real": api.Real(), "noise": noise})],
            optimizers={"generator": api.Optimizer("sgd", lr)},
            prior=noise,
            batch=8,
        )

    make.__doc__ = f"A trainer that is called {name}."
    api.trainer(name)(make)


def of_its_own_generator():
    rng = np.random.default_rng(0)
    return lambda gap: gap.sum() * rng.normal()


def after_some_calls():
    calls = count()
    return lambda gap: gap.sum() * (1.0 if next(calls) > 12 else 0.0)


def seeding(seed):
    def loss():
        def more(gap):
            seed()
            return torch.randn(()) * gap.sum()

        return more

    return loss


trainer_of("honest", lambda: lambda gap: 0.0 * gap.sum())
trainer_of("draws-in-its-loss", lambda: lambda gap: torch.randn(()) * gap.sum())
trainer_of("tells-the-time", lambda: lambda gap: gap.sum() * (time.perf_counter() % 1))
trainer_of("own-generator", of_its_own_generator)
trainer_of("generator-of-the-module", lambda: lambda gap: gap.sum() * OF_THE_MODULE.normal())
trainer_of("counts-its-calls", lambda: lambda gap: gap.sum() * (next(CALLS) % 7))
trainer_of("changes-later", after_some_calls)
trainer_of("seeds-torch", seeding(lambda: torch.manual_seed(0)))
trainer_of("seeds-numpy", seeding(lambda: np.random.seed(0)))  # noqa: NPY002
trainer_of("seeds-python", seeding(lambda: random.seed(0)))
trainer_of("learns-nothing", lambda: lambda gap: 0.0 * gap.sum(), lr=1e-9)
trainer_of("becomes-nan", lambda: lambda gap: gap.sum() * math.nan)


class Shift:
    """A trainer of the wider contract whose generator is a shift of normal noise."""

    updates_per_step = 1

    def __init__(self):
        self.shift, self.steps = torch.zeros(2), torch.tensor(0)

    def step(self, data, progress):
        self.shift = self.shift.lerp(data.next(16).mean(0), self.rate())
        self.steps = self.steps + 1
        return {"generator": self.shift.sum()}

    def rate(self):
        return 0.1 / (1 + 0.1 * float(self.steps))

    def sample(self, n, rng):
        return self.shift + 0.5 * torch.randn(n, 2, generator=rng)

    def weights(self):
        return {"generator.shift": self.shift}

    def state_dict(self):
        return {"shift": self.shift, "steps": self.steps}

    def load_state_dict(self, state):
        self.shift, self.steps = state["shift"], state["steps"]


class LearnsWhenSampled(Shift):
    def sample(self, n, rng):
        self.steps = self.steps + 1
        return super().sample(n, rng)


class ForgetsItsSteps(Shift):
    def state_dict(self):
        return {"shift": self.shift}

    def load_state_dict(self, state):
        self.shift = state["shift"]


class TakesManySteps(Shift):
    def __init__(self):
        super().__init__()
        self.shift = nn.Parameter(torch.zeros(2))
        self.sgd = torch.optim.SGD([self.shift], 1e-3)

    def step(self, data, progress):
        for _ in range(50):
            loss = (self.shift - data.next(4).mean(0)).square().sum()
            self.sgd.zero_grad()
            loss.backward()
            self.sgd.step()
        return {"generator": loss}

    def sample(self, n, rng):
        return super().sample(n, rng).detach()

    def weights(self):
        return {"generator.shift": self.shift.detach()}


class TrainsAtOnce(Shift):
    def step(self, data, progress):
        if not self.steps:
            data.next(1_000)
        return super().step(data, progress)


class NeedsNoData(Shift):
    def step(self, data, progress):
        self.shift = self.shift + 0.1
        return {"generator": self.shift.sum()}


class IgnoresItsStream(Shift):
    def sample(self, n, rng):
        return self.shift + torch.randn(n, 2)


class MakesNaN(Shift):
    def sample(self, n, rng):
        return torch.full((n, 2), math.nan)


class MakesDoubles(Shift):
    def sample(self, n, rng):
        return super().sample(n, rng).double()


class SeedsWhenRestored(Shift):
    def load_state_dict(self, state):
        torch.manual_seed(0)
        super().load_state_dict(state)


for kind in (
    Shift, LearnsWhenSampled, ForgetsItsSteps, TakesManySteps, TrainsAtOnce, NeedsNoData, IgnoresItsStream, MakesNaN,
    MakesDoubles, SeedsWhenRestored,
):  # fmt: skip

    def wider(problem: api.Problem, *, of: str = kind.__name__) -> api.Trainer:
        """A trainer of the wider contract."""
        return globals()[of]()

    api.trainer(kind.__name__.lower())(wider)


def said_of(name, bound=None, *, too_much=0.0, width=1.0, sample=None):
    """A Gaussian that says its density: times a factor, of another width, or of other samples."""

    def make(problem: api.Problem) -> api.Method:
        noise = api.Normal((2,))

        def log_prob(nets, x):
            squares = ((x - nets.generator(torch.zeros(1, 2))) / width).square().sum(1)
            return too_much - squares / 2 - math.log(2 * math.pi) - 2 * math.log(width)

        network = nn.Linear(2, 2)
        with torch.no_grad():
            network.weight.copy_(torch.eye(2))
        network.weight.requires_grad_(False)
        phase = api.Phase(
            "generator", lambda nets, batch: -log_prob(nets, batch.real).mean(), {"real": api.Real(), "noise": noise}
        )
        return api.Method(
            networks={"generator": network}, phases=[phase], optimizers={"generator": api.Optimizer("sgd", 0.01)},
            prior=noise, batch=8, log_prob=log_prob, bound=bound, **({"sample": sample} if sample else {}),
        )  # fmt: skip

    make.__doc__ = f"A Gaussian that is called {name}."
    api.trainer(name)(make)


def two_widths(problem: api.Problem) -> api.Method:
    """A mixture, half of it a thousand times as wide as the other half, which says its density."""
    noise = api.Normal((3,))
    widths = torch.tensor([0.01, 10.0])

    def log_prob(nets, x):
        squares = (x - nets.generator(torch.zeros(1, 2))).square().sum(1, keepdim=True)
        each = -squares / (2 * widths**2) - 2 * widths.log() - math.log(2 * math.pi)
        return each.logsumexp(1) - math.log(2)

    def sample(nets, noise):
        width = torch.where(noise[:, 2:] > 0, widths[0], widths[1])
        return nets.generator(torch.zeros(1, 2)) + width * noise[:, :2]

    phase = api.Phase(
        "generator", lambda nets, batch: -log_prob(nets, batch.real).mean(), {"real": api.Real(), "noise": noise}
    )
    return api.Method(
        networks={"generator": nn.Linear(2, 2)}, phases=[phase], optimizers={"generator": api.Optimizer("sgd", 0.01)},
        prior=noise, batch=8, log_prob=log_prob, sample=sample,
    )  # fmt: skip


api.trainer("two-widths")(two_widths)
said_of("says-its-density")
said_of("says-a-bound", 3, too_much=-1.0)
said_of("says-too-much", too_much=5.0)
said_of("says-too-little", too_much=-5.0)
said_of("says-too-high-a-bound", 3, too_much=1.0)
said_of("says-it-of-others", width=2.0)
said_of("says-half-too-little", too_much=-0.6)
said_of("says-a-loose-bound", 3, too_much=-1000.0)
said_of("samples-a-quarter", sample=lambda nets, noise: nets.generator(noise.abs()))


class Wide(api.Target):
    """A Cauchy distribution, whose box its maker chose."""

    event_shape = (1,)

    def __init__(self, half):
        self.box = api.Box(torch.tensor([-half]), torch.tensor([half]))

    def sample(self, n, rng):
        return self.altered(n, rng)

    def altered(self, n, rng, *, keep=1.0, spread=1.0):
        places = torch.rand(n, 1, generator=rng) * 0.999998 + 1e-6
        return spread * torch.tan(math.pi * (places * (0.5 if keep < 1 else 1) - 0.5))

    def log_prob(self, x):
        return -math.log(math.pi) - torch.log1p(x.double()[:, 0] ** 2)


@api.dataset("wide")
def wide(*, half: api.Positive = 10.0) -> Wide:
    """A Cauchy distribution in a box."""
    return Wide(half)


class Pair(api.Target):
    """Two Gaussians."""

    event_shape = (2,)

    def __init__(self):
        self.modes = api.Modes(torch.tensor([[-1.0, 0.0], [1.0, 0.0]]), 0.1, torch.tensor([0.5, 0.5]))

    def sample(self, n, rng):
        return self.altered(n, rng)

    def altered(self, n, rng, *, keep=1.0, spread=1.0):
        mode = torch.randint(2 if keep == 1 else 1, (n,), generator=rng)
        return self.modes.centres[mode] + spread * 0.1 * torch.randn(n, 2, generator=rng)

    def log_prob(self, x):
        squares = (x.double()[:, None] - self.modes.centres.double()).square().sum(2)
        return (-squares / 0.02).logsumexp(1) - math.log(2 * 2 * math.pi * 0.01)


class IgnoresRng(Pair):
    def altered(self, n, rng, **more):
        return super().altered(n, torch.Generator().manual_seed(0), **more)


class DrawsFromElsewhere(Pair):
    def altered(self, n, rng, **more):
        return super().altered(n, rng, **more) + 0.001 * torch.randn(n, 2)


class GoesOnByItself(Pair):
    def __init__(self):
        super().__init__()
        self.own = torch.Generator().manual_seed(0)

    def altered(self, n, rng, **more):
        return super().altered(n, self.own, **more)


class BeginsAlike(Pair):
    def altered(self, n, rng, **more):
        samples = super().altered(n, rng, **more)
        samples[:1] = self.modes.centres[:1]
        return samples


class Rare(Pair):
    """Two Gaussians, one of which is seldom drawn."""

    def __init__(self):
        super().__init__()
        self.modes = self.modes._replace(weights=torch.tensor([0.999, 0.001]))

    def altered(self, n, rng, *, keep=1.0, spread=1.0):
        mode = (torch.rand(n, generator=rng) < (0.001 if keep == 1 else 0)).long()
        return self.modes.centres[mode] + spread * 0.1 * torch.randn(n, 2, generator=rng)

    def log_prob(self, x):
        squares = (x.double()[:, None] - self.modes.centres.double()).square().sum(2)
        each = self.modes.weights.double().log() - squares / 0.02
        return each.logsumexp(1) - math.log(2 * math.pi * 0.01)


class OffByAFactor(Pair):
    def log_prob(self, x):
        return super().log_prob(x) + math.log(2)


class OfOtherSamples(Pair):
    def log_prob(self, x):
        squares = (x.double()[:, None] - self.modes.centres.double()).square().sum(2)
        return (-squares / 0.08).logsumexp(1) - math.log(2 * 2 * math.pi * 0.04)


class GivesNaN(Pair):
    def altered(self, n, rng, **more):
        samples = super().altered(n, rng, **more)
        samples[n // 2] = math.nan
        return samples


class GivesDoubles(Pair):
    def altered(self, n, rng, **more):
        return super().altered(n, rng, **more).double()


class MissesItsModes(Pair):
    def altered(self, n, rng, **more):
        return super().altered(n, rng, **more) + 2.0


class WeighsWrongly(Pair):
    def __init__(self):
        super().__init__()
        self.modes = self.modes._replace(weights=torch.tensor([0.9, 0.1]))


class KnowsNoControls(Pair):
    def altered(self, n, rng, **more):
        return super().altered(n, rng)


class AnotherElsewhere(Pair):
    def to(self, device):
        return MissesItsModes()


class RarelyNaN(Pair):
    def altered(self, n, rng, **more):
        samples = super().altered(n, rng, **more)
        samples[::10_000][1:] = math.nan
        return samples


class CollapsesInNumbers(Pair):
    def altered(self, n, rng, **more):
        return super().altered(n, rng, **more) * (1.0 if n <= 1_000 else 0.1)


class Tires(Pair):
    def __init__(self):
        super().__init__()
        self.drawn = count()

    def altered(self, n, rng, **more):
        return super().altered(n, rng, **more) + (2.0 if next(self.drawn) > 60 else 0.0)


class LacksAClass(Pair):
    classes = ("left", "right", "neither")

    def labelled(self, n, rng):
        samples = self.sample(n, rng)
        return samples, (samples[:, 0] > 0).long()


for kind in (
    Pair, IgnoresRng, DrawsFromElsewhere, GoesOnByItself, BeginsAlike, OffByAFactor, OfOtherSamples, GivesNaN,
    GivesDoubles, MissesItsModes, WeighsWrongly, KnowsNoControls, AnotherElsewhere, RarelyNaN, CollapsesInNumbers,
    Tires, LacksAClass, Rare,
):  # fmt: skip

    def dataset(*, of: str = kind.__name__) -> Pair:
        """Two Gaussians in the plane."""
        return globals()[of]()

    api.dataset(kind.__name__.lower())(dataset)


class MeanGap(torchmetrics.Metric):
    """How far the samples' mean is from another."""

    full_state_update = False

    def __init__(self, mean):
        super().__init__()
        self.register_buffer("mean", mean.double())
        self.add_state("samples", [], dist_reduce_fx="cat")

    def update(self, samples):
        self.samples.append(samples.double())

    def compute(self):
        return self.of(torch.cat(self.samples))

    def of(self, samples):
        return (samples.mean(0) - self.mean).norm()


class OfTheFirst(MeanGap):
    def of(self, samples):
        return super().of(samples[: len(samples) // 2])


class OfTheLastBatch(MeanGap):
    def update(self, samples):
        self.samples = [samples.double()]


class RemembersAll(MeanGap):
    def reset(self):
        seen = list(self.samples)
        super().reset()
        self.samples = seen


class MovesItsSamples(MeanGap):
    def update(self, samples):
        super().update(samples.mul_(1.0001))


class ClampsItsSamples(MeanGap):
    """What is clamped once stays as it is when it is clamped again."""

    def update(self, samples):
        super().update(samples.clamp_(-0.5, 0.5))


class StaysBehind(MeanGap):
    """Its tensor is no buffer, so nothing moves it."""

    def __init__(self, mean):
        super().__init__(mean)
        del self.mean
        self.mean = mean.double()


class Constant(MeanGap):
    def of(self, samples):
        return torch.tensor(1.0)


class Noisy(MeanGap):
    def of(self, samples):
        return super().of(samples) + 1e-3 * torch.rand(())


class Several(MeanGap):
    def of(self, samples):
        return samples.mean(0)


for kind, facts in (
    (MeanGap, {}), (OfTheFirst, {}), (OfTheLastBatch, {}), (RemembersAll, {}), (MovesItsSamples, {}), (Constant, {}),
    (ClampsItsSamples, {}), (Noisy, {}), (Several, {}), (MeanGap, {"bounds": (0, 0.5)}), (MeanGap, {"whole": True}),
    (MeanGap, {"higher_is_better": True}), (StaysBehind, {}),
):  # fmt: skip

    def metric(truth, *, of: str = kind.__name__) -> torchmetrics.Metric:
        """How far the samples' mean is from that of the reference."""
        return globals()[of](truth.reference(10_000).mean(0))

    declared = {"unit": "data units", "higher_is_better": False, "bounds": (0, None)} | facts
    api.metric("-".join([kind.__name__.lower(), *facts]), **declared)(metric)


def halved(observed, mean):
    return (observed.samples.mul_(0.5).mean(0) - mean).norm()


@api.metric("halves-what-others-look-at", unit="data units", higher_is_better=False)
def halves(truth):
    """Distance of means by a function that scales what it observes."""
    return api.observed_metric(halved, mean=truth.reference(10_000).mean(0) / 2)


@api.metric("no-metric", unit="data units", higher_is_better=False)
def no_metric(truth):
    """A function, which is no metric of torchmetrics."""
    return lambda samples: 0.0


@api.control("ignores-rng")
def ignores_rng(dataset, n, rng):
    """The same samples whatever the stream."""
    return dataset.sample(n, torch.Generator().manual_seed(0))


@api.suite("called-otherwise")
def called_otherwise() -> api.Suite:
    """A plan that goes by another name."""
    return plan("something-else")


@api.suite("names-twice")
def names_twice() -> api.Suite:
    """A plan that trains one thing twice."""
    return plan("names-twice", trainers=("gan", "gan[batch=256]"))


@api.suite("unheard-of")
def unheard_of() -> api.Suite:
    """A plan of a trainer that there is not."""
    return plan("unheard-of", trainers=("gam",))


@api.suite("too-few-seeds")
def too_few_seeds() -> api.Suite:
    """A plan that can find out nothing."""
    return plan("too-few-seeds", seeds=(0,))


def plan(name, **changes):
    return api.Suite(
        **{
            "name": name,
            "version": 1,
            "datasets": ("ring8",),
            "trainers": ("gan", "wgan"),
            "seeds": (0, 1, 2, 3, 4),
            "budgets": (api.Budget(kind="steps", amount=10),),
            **changes,
        }
    )
