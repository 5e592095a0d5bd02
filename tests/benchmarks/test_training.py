"""The engine against a bare eager loop that does the same updates, side by side in one run.

What counts is the ratio of the two, printed at the end: `tox -e bench`.
"""

import statistics
import time
from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import softplus

from genbench.engine import Engine
from genbench.engine.training import Training
from genbench.registry import datasets, trainers
from genbench.spec import Budget, Component, Trial

TRAINERS = ("gan", "wgan", "wgan-gp")
STEPS = 50
ROUNDS = 24
WARM_UP_ROUNDS = 3
TOTAL = Budget(kind="steps", amount=1_000_000)


@pytest.mark.parametrize("engine", ["plain", "compiled"])
@pytest.mark.parametrize("trainer", TRAINERS)
def test_engine_beside_a_bare_eager_loop(benchmark, trainer, engine):
    """Rounds of both alternate, so that a busy machine slows both; the ratio is of their medians."""
    steps, bare = engine_steps(trainer, engine), bare_steps(trainer)
    bare_seconds: list[float] = []

    def bare_round() -> None:
        started = time.perf_counter()
        bare()
        bare_seconds.append(time.perf_counter() - started)

    benchmark.group = f"{STEPS} generator steps"
    benchmark.pedantic(steps, setup=bare_round, rounds=ROUNDS, warmup_rounds=WARM_UP_ROUNDS)
    reference = statistics.median(bare_seconds[WARM_UP_ROUNDS:])
    benchmark.extra_info.update(
        trainer=trainer,
        engine=engine,
        device="cpu",
        threads=1,
        steps=STEPS,
        reference_seconds=reference,
        reference_ratio=reference / benchmark.stats.stats.median,
    )


def engine_steps(trainer: str, engine: Engine) -> Callable[[], None]:
    trial = Trial(
        dataset=Component.resolve(datasets, "grid25"),
        trainer=Component.resolve(trainers, trainer),
        budget=TOTAL,
        seed=0,
    )
    training = Training([trial], datasets.build("grid25"), engine=engine)
    return lambda: training.run(until=(training.meter.steps + STEPS) / TOTAL.amount)


def bare_steps(trainer: str) -> Callable[[], None]:
    step = bare_loop(trainer, trainers[trainer].defaults)

    def steps() -> None:
        for _ in range(STEPS):
            step()

    return steps


def bare_loop(trainer: str, p: dict) -> Callable[[], None]:
    """One generator step as one would write it by hand for this trainer alone."""

    def network(inputs: int, outputs: int) -> nn.Module:
        layers: list[nn.Module] = []
        for _ in range(p["depth"]):
            layers += [nn.Linear(inputs, p["width"]), nn.ReLU()]
            inputs = p["width"]
        return nn.Sequential(*layers, nn.Linear(inputs, outputs))

    def optimizer(net: nn.Module) -> torch.optim.Optimizer:
        if p["optimizer"] == "rmsprop":
            return torch.optim.RMSprop(net.parameters(), lr=p["lr"], alpha=p["beta2"], foreach=True)
        return torch.optim.Adam(net.parameters(), lr=p["lr"], betas=(p["beta1"], p["beta2"]), fused=True)

    with torch.random.fork_rng():
        torch.manual_seed(0)
        generator, critic = network(p["latent"], 2), network(2, 1)
    update_generator, update_critic = optimizer(generator), optimizer(critic)
    rng = torch.Generator().manual_seed(0)
    axis = torch.arange(-2.0, 3.0) / 2**0.5
    centres, std = torch.cartesian_prod(axis, axis), 0.025 / 2**0.5
    batch = p["batch"]

    def real() -> Tensor:
        picked = torch.randint(len(centres), (batch,), generator=rng)
        return centres[picked] + std * torch.randn(batch, 2, generator=rng)

    def noise() -> Tensor:
        return torch.randn(batch, p["latent"], generator=rng)

    def critic_loss() -> Tensor:
        x = real()
        with torch.no_grad():
            fake = generator(noise())
        if trainer == "gan":
            return softplus(-critic(x)).mean() + softplus(critic(fake)).mean()
        gap = critic(fake).mean() - critic(x).mean()
        if trainer == "wgan":
            return gap
        between = fake.lerp(x, torch.rand(batch, 1, generator=rng)).requires_grad_()
        (slope,) = torch.autograd.grad(critic(between).sum(), between, create_graph=True)
        return gap + p["penalty"] * (slope.norm(2, dim=1) - 1).square().mean()

    def step() -> None:
        critic.requires_grad_(True)
        for _ in range(p["critic_steps"]):
            update_critic.zero_grad()
            critic_loss().backward()
            update_critic.step()
            if trainer == "wgan":
                with torch.no_grad():
                    for weight in critic.parameters():
                        weight.clamp_(-p["clip"], p["clip"])
        critic.requires_grad_(False)
        score = critic(generator(noise()))
        update_generator.zero_grad()
        (softplus(-score).mean() if trainer == "gan" else -score.mean()).backward()
        update_generator.step()

    return step
