"""What a plugin's datasets and methods do for a few samples, before anything is trained on them or by them."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor

from genbench import seeding
from genbench.datasets.base import Dataset, check_dataset
from genbench.engine.draws import Labels, Noise, Real, draw_noise
from genbench.engine.evaluation import log_probs, looked_at, made
from genbench.engine.feed import Feed, Feeds, check_labels
from genbench.engine.inner import wanted
from genbench.engine.method import Method
from genbench.engine.problem import Problem
from genbench.engine.stack import check_samples
from genbench.errors import GenbenchError
from genbench.scoring.likelihood import held_out

FEW = 8


def rehearse_dataset(name: str, data: Dataset) -> None:
    """Draws a few samples, and labels of them; raises GenbenchError where they aren't as they should be.

    Samples must be of the dataset's shape and come from the stream that is given alone; labels must be of the very
    samples that `sample` draws.
    """
    problem = Problem(data.event_shape, seed=0, classes=len(data.classes))
    what = f"The dataset {name}"
    check_dataset(name, data.to("cpu"))
    samples = _repeated(lambda: data.sample(FEW, _stream()), problem, what)
    check_samples(samples, FEW, problem, f"{what}'s sample")
    if not data.classes:
        return
    of, labels = data.labelled(FEW, _stream())
    check_labels(labels, FEW, problem)
    if not torch.equal(of, samples):
        raise GenbenchError(f"{what}: labelled draws other samples than sample does from the same stream.")


def rehearse_method(method: Method, data: Dataset, problem: Problem) -> None:
    """Draws noise, makes samples of the prior, looks at some and calls losses; raises GenbenchError for what is amiss.

    An error that a loss raises isn't among that: it is recorded where it is trained by.
    """
    for name, draw in (draw for phase in method.phases for draw in phase.draws.items()):
        if not isinstance(draw, Real | Labels):
            _repeated(partial(_drawn, draw), problem, f"The draw {name}, {draw!r},")
    noise = _repeated(partial(_drawn, method.prior), problem, f"The prior {method.prior!r}")
    made(method, method.networks, noise, problem)
    wanted(method, Feeds([Feed(method, data, problem)]).blank_batches(), problem)
    if method.log_prob is not None:
        _rehearse_likelihood(method, held_out(data, FEW), problem)
    if method.landscape is not None and len(problem.event_shape) == 1:
        points = data.sample(FEW, seeding.stream(0, seeding.REFERENCE_DATA))
        if len(looked_at(method, method.networks, method.landscape, points, problem)) != FEW:
            raise GenbenchError(f"The landscape {method.landscape} must give one score a sample, of shape (batch, 1).")


def _rehearse_likelihood(method: Method, x: Tensor, problem: Problem) -> None:
    """Evaluates the likelihood of all samples and of the first alone: an exact one says the same of it."""
    of_all = log_probs(method, method.networks, x, problem)
    alone = log_probs(method, method.networks, x[:1], Problem(problem.event_shape, seed=1))
    if method.bound is None and not torch.allclose(of_all[:1], alone, rtol=1e-3, atol=1e-3, equal_nan=True):
        raise GenbenchError(
            f"log_prob says {float(of_all[0]):.4g} of a sample among others and {float(alone[0]):.4g} of it alone. "
            "If it draws, it is a bound: api.Method(bound=…); else let it look at each sample by itself."
        )


def _repeated(draw: Callable[[], Tensor], problem: Problem, what: str) -> Tensor:
    """What `draw` draws in two different global streams, if that is the same; else raises GenbenchError."""
    drawn = []
    for i in range(2):
        with problem.global_streams(f"{seeding.GLOBAL_EVALUATION}/{i}"):
            drawn.append(draw())
    if not isinstance(drawn[0], Tensor):
        raise GenbenchError(f"{what} draws {type(drawn[0]).__name__}: let it give a torch.Tensor.")
    if not torch.equal(*drawn):
        raise GenbenchError(f"{what} draws from elsewhere than the stream that it is given: pass on generator=rng.")
    return drawn[0]


def _drawn(noise: Noise) -> Tensor:
    return draw_noise(noise, (FEW,), _stream())


def _stream() -> torch.Generator:
    return seeding.stream(0, seeding.EVALUATION_NOISE)
