"""One update of a network, path by path, against a hand-written eager loop and, where it is installed, JAX.

Rounds of the engine and of the loop alternate, so that a busy machine slows both: what counts is `reference_ratio`,
how many times faster a replica's update is than the loop's, and `gemm_fraction`, the achieved rate over the best rate
of a matrix product in the same run.
"""

import os
from dataclasses import replace
from itertools import product

import pytest
import torch
from operations import Operations
from reference.loops import EagerLoop
from rounds import compare, timed

from genbench.engine.feed import Feed, Feeds
from genbench.engine.plain import Plain
from genbench.engine.problem import Problem
from genbench.engine.stacked import Stacked
from genbench.registry import datasets, trainers

TRAINERS = ("gan", "wgan", "wgan-gp")
WIDTHS = (64, 128, 512)
PATHS = [("cpu", "plain", 1), ("cpu", "compiled", 1), ("cpu", "compiled", 5), ("cpu", "compiled", 20)]
if torch.cuda.is_available():
    PATHS += [
        ("cuda", "plain", 1),
        ("cuda", "graph", 1),
        ("cuda", "graph", 5),
        ("cuda", "graph", 20),
        ("cuda", "graph", 64),
    ]
CASES = [case[:3] + case[3] for case in product(TRAINERS, ("critic", "generator"), WIDTHS, PATHS)]
CASES.append(("wgan-gp", "critic", 128, "cpu", "compiled", 64))


@pytest.fixture(scope="module")
def gemm_rate(as_in_a_run):
    """`gemm_rate(device)`: the best rate of a product of matrices, in FLOP/s."""
    rates = {}

    def measure(device):
        if device not in rates:
            rates[device] = max(rate_of(rows, width, device) for rows in (256, 512, 1024) for width in (64, 128, 512))
        return rates[device]

    return measure


def rate_of(rows, width, device):
    size = (rows, width) if device == "cpu" else (64, rows, width)
    a, b = torch.randn(size, device=device), torch.randn(*size[:-2], width, width, device=device)
    seconds = min(timed(lambda: a @ b, device, 0.02) for _ in range(10))
    return 2 * a.numel() * width / seconds


def engine(trainer, phase, width, path, replicas, device, least=1):
    """The stack of a trainer with one phase alone, one update a step; runs compute two at the `least`."""
    problems = [Problem((2,), seed, device) for seed in range(replicas)]
    methods = [trainers.build(f"{trainer}[width={width}]", problem) for problem in problems]
    methods = [alone(method, phase) for method in methods]
    dataset = datasets.build("grid25")
    feeds = Feeds([Feed(method, dataset, problem) for method, problem in zip(methods, problems, strict=True)])
    if path == "plain":
        return Plain(methods[0], feeds, device)
    key = None if path == "eager" else f"{trainer} {width} {phase}"
    stack = Stacked(methods, feeds, device, key, capture=path == "graph", least=least)
    stack.warm_up()
    return stack


def alone(method, phase):
    """A method with one of its phases alone, once a step, whose networks alone have optimizers."""
    one = replace(method.phases[phase], repeats=1)
    optimizers = {name: rule for name, rule in method.optimizers.items() if name in one.networks}
    return replace(method, phases=[one], optimizers=optimizers)


def flops(trainer, phase, width):
    """One replica's update, counted where its products are carried out."""
    stack = engine(trainer, phase, width, "eager", 1, "cpu")
    with Operations() as counted:
        stack.step(0.0)
    return counted.total


@pytest.mark.parametrize(("trainer", "phase", "width", "device", "path", "replicas"), CASES)
def test_update(benchmark, trainer, phase, width, device, path, replicas, gemm_rate):
    stack = engine(trainer, ("critic", "generator").index(phase), width, path, replicas, device)
    loop = EagerLoop(trainer, {**trainers[trainer].defaults, "width": width}, device)
    compare(benchmark, lambda: stack.step(0.0), getattr(loop, f"{phase}_step"), device, replicas)
    work = flops(trainer, ("critic", "generator").index(phase), width)
    benchmark.group = f"{trainer} {phase} step, width {width}, {device}"
    benchmark.extra_info.update(
        trainer=trainer,
        phase=phase,
        width=width,
        batch=loop.p["batch"],
        replicas=replicas,
        engine=path,
        device=device,
        flops=work * replicas,
        gemm_fraction=work * replicas / benchmark.extra_info["seconds"] / gemm_rate(device),
    )


@pytest.mark.parametrize(("trainer", "width"), list(product(("gan", "wgan-gp"), (64, 128))))
def test_lone_seed_beside_its_double(benchmark, trainer, width):
    """Against the code for one replica alone, whose bits depend on that."""
    double, lone = (engine(trainer, 0, width, "compiled", 1, "cpu", least) for least in (2, 1))
    compare(benchmark, lambda: double.step(0.0), lambda: lone.step(0.0), "cpu", 1)
    benchmark.group = f"{trainer} critic step of a lone seed, width {width}, cpu"
    benchmark.extra_info.update(
        trainer=trainer, phase="critic", width=width, replicas=1, engine="compiled, beside its double", device="cpu"
    )


@pytest.fixture
def one_core():
    """JAX takes every core that it may use, whatever its flags say; torch is held to one thread."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(before)})
    yield
    os.sched_setaffinity(0, before)


@pytest.mark.usefixtures("one_core")
@pytest.mark.parametrize("width", WIDTHS)
def test_jax_twin(benchmark, width):
    pytest.importorskip("jax", reason="JAX is an extra: pip install 'genbench[jax]'")
    from reference.jax_loop import JaxLoop

    parameters = {**trainers["wgan-gp"].defaults, "width": width}
    twin, loop = JaxLoop(parameters), EagerLoop("wgan-gp", parameters)
    compare(benchmark, twin.critic_step, loop.critic_step, "cpu", 1)
    benchmark.group = f"wgan-gp critic step, width {width}, cpu"
    benchmark.extra_info.update(trainer="wgan-gp", phase="critic", width=width, replicas=1, engine="jax", device="cpu")
