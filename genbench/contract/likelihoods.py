"""Whether what a trainer calls its likelihood is a density, and that of its samples."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from genbench.contract.findings import Broken, number, require
from genbench.contract.streams import stream
from genbench.contract.trained import TrainerCase
from genbench.errors import Skip

CENTRES, PLACES = 500, 10_000
"""Samples about which the density is looked at, and places where."""

WIDTHS = {1.0: 0.7, 0.1: 0.1, 0.01: 0.1, 0.001: 0.1}
"""How far from them, in their stds, and how often: a density may be wide in one place and narrow in another."""

MOST_DIMENSIONS = 4
ERRORS = 5
OFF = 0.1
"""How many standard errors, and how much beyond them, the mass and the mean surprise may be off."""

ENOUGH = 300
"""Of the places, how many count as much as all that were weighed, at the least (Kish's effective sample size)."""

LEAST = 0.9
"""Of the mass near the samples: farther off lies what a thousand of them hardly show."""


def likelihood_is_a_density(case: TrainerCase) -> str:
    """exp(log_prob) has a mass of one, at most if it is a bound, and an exact one is as surprised as its samples say.

    The mass is the mean of exp(log_prob) over the density of the places where it is looked at, which lie about the
    trainer's own samples: importance sampling.
    """
    training = case.training()
    training.run(1.0)
    stack, shape = training.stack, case.data.event_shape
    if stack.likelihood is None:
        raise Skip("it has no log_prob")
    samples = stack.sample(2 * CENTRES, [stream()])[0].double()
    said = stack.log_prob(0, samples.to(torch.get_default_dtype())).double()
    require(bool(torch.isfinite(said).all()), "log_prob is not finite at its own samples.")
    if len(shape) != 1 or shape[0] > MOST_DIMENSIONS:
        return f"log_prob is finite; its mass is looked at in up to {MOST_DIMENSIONS} dimensions."
    places, log_places = _about(samples[:CENTRES])
    log_density = stack.log_prob(0, places.to(torch.get_default_dtype())).double()
    weights = (log_density - log_places).exp()
    mass, error = float(weights.mean()), float(weights.std()) / math.sqrt(PLACES)
    weighed = f"exp(log_prob) has a mass of {number(mass)} ± {number(error)} about its samples"
    if mass - ERRORS * error > 1 + OFF:
        raise Broken(
            f"{weighed} alone, and a density has 1: log_prob is too large, by some {number(math.log(mass))} nats."
        )
    if stack.likelihood.bound is not None:
        return f"As a bound it has a mass of {number(mass)}, no more than 1."
    if float(weights.sum()) ** 2 < ENOUGH * float(weights.square().sum()):
        return f"exp(log_prob) has no more mass than 1; {PLACES} places are too few for how it lies about its samples."
    require(
        mass + ERRORS * error >= LEAST,
        f"{weighed}, where nearly all of 1 should be: log_prob is too small, or of other samples.",
    )
    surprises = torch.where(weights > 0, -weights * log_density, 0.0)
    entropy, surprise = float(surprises.mean()), -float(said.mean())
    within = ERRORS * (float(surprises.std()) / math.sqrt(PLACES) + float(said.std()) / math.sqrt(len(said))) + OFF
    require(
        abs(surprise - entropy) <= within,
        f"log_prob is of other samples: its entropy is {number(entropy)} nats, and the mean of -log_prob over its own "
        f"samples is {number(surprise)}.",
    )
    mean = (weights[:, None] * places).sum(0) / weights.sum()
    away = (samples.mean(0) - mean).abs() / samples.std(0).clamp(min=1e-6)
    spread = ERRORS * (1 / math.sqrt(len(samples)) + float(weights.square().sum().sqrt() / weights.sum())) + OFF
    require(
        bool((away <= spread).all()),
        f"log_prob is of other samples: its mean lies {number(float(away.max()))} stds of its samples from theirs.",
    )
    return (
        f"exp(log_prob) has a mass of {number(mass)} about its samples, whose mean surprise is {number(surprise)} nats."
    )


def _about(centres: Tensor) -> tuple[Tensor, Tensor]:
    """Places about the centres `(n, d)` and the logarithm of their density: Gaussians of several widths."""
    n, dimensions = centres.shape
    std = centres.std(0).clamp(min=1e-6)
    picked = torch.tensor([*WIDTHS]).repeat_interleave(
        torch.tensor([round(PLACES * share) for share in WIDTHS.values()])
    )
    noise = torch.randn(PLACES, dimensions, generator=stream(1), dtype=centres.dtype)
    places = centres[torch.arange(PLACES) % n] + picked[:, None] * std * noise
    squares = ((places[:, None] - centres) / std).square().sum(2)
    each = [math.log(share) - squares / (2 * w**2) - dimensions * math.log(w) for w, share in WIDTHS.items()]
    scale = math.log(n) + float(std.log().sum()) + dimensions * math.log(2 * math.pi) / 2
    return places, torch.logsumexp(torch.stack(each), (0, 2)) - scale
