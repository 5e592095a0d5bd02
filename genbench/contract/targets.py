"""What a target keeps to beside what every dataset does: its density, modes, curve and controls are true."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from genbench.contract.datasets import FEW, MANY, DatasetCase
from genbench.contract.findings import number, require
from genbench.contract.streams import stream
from genbench.errors import Skip

MODES_APART = 6
"""Stds between two modes: what lies within three of one is no other's."""

MASS_OFF = 1e-2
"""How far from 1 the sum of a density may be."""

RARE = 100_000
"""Samples among which what is rare is seen."""

SURPRISED = 20_000
"""Samples whose mean surprise is held against the density's entropy."""


def truth_is_the_default(case: DatasetCase) -> str:
    """`keep=1` and `spread=1` are the truth, and less of either is not."""
    target = case.target
    plain = target.sample(FEW, stream())
    require(
        torch.equal(plain, target.altered(FEW, stream(), keep=1.0, spread=1.0)),
        "altered with keep=1 and spread=1 gives others than sample.",
    )
    for name, changed in (("keep=0.5", {"keep": 0.5}), ("spread=0", {"spread": 0.0})):
        # What is rare is missed among few, and few are enough of most.
        different = any(
            not torch.equal(target.altered(n, stream(), **changed), target.sample(n, stream())) for n in (MANY, RARE)
        )
        require(different, f"altered with {name} gives the truth: controls are made by it.")
    return "keep and spread change the truth, and are 1 by default."


def density_is_of_each_sample(case: DatasetCase) -> str:
    """`log_prob` gives a finite number in double precision for each sample, far away too."""
    target = case.target
    density = target.log_prob(target.sample(9, stream()))
    require(tuple(density.shape) == (9,), f"log_prob of 9 samples has the shape {tuple(density.shape)}, not (9,).")
    require(density.dtype == torch.float64, f"log_prob is {density.dtype}: compute it in double precision.")
    far = target.log_prob(torch.full((1, *target.event_shape), 100.0))
    finite = bool(torch.isfinite(density).all() and torch.isfinite(far).all())
    require(finite, "log_prob is not finite everywhere: compute logarithms, not densities.")
    return "log_prob gives a finite number for each sample."


def density_is_that_of_the_samples(case: DatasetCase) -> str:
    """The density sums to one, and its entropy is the samples' mean surprise."""
    mass, entropy = case.density
    require(
        abs(mass - 1) < MASS_OFF,
        f"exp(log_prob) sums to {number(mass)} and not to 1: log_prob is off by {number(math.log(max(mass, 1e-300)))} "
        "nats, or the box leaves out some of it.",
    )
    surprise = -case.target.log_prob(case.target.sample(SURPRISED, stream()))
    error = surprise.std().item() / math.sqrt(SURPRISED)
    mean = surprise.mean().item()
    require(
        abs(mean - entropy) < 5 * error + MASS_OFF,
        f"log_prob is of other samples: its entropy is {number(entropy)} nats, and the samples' mean of -log_prob is "
        f"{number(mean)}.",
    )
    return f"log_prob sums to {number(mass)}, and its entropy of {number(entropy)} nats is that of the samples."


def modes_lie_apart(case: DatasetCase) -> str:
    """Modes share the truth among them, stand apart, span the box, and the samples lie at them."""
    centres, std, weights = case.modes
    count = len(centres)
    require(tuple(weights.shape) == (count,), f"modes.weights has the shape {tuple(weights.shape)}, not ({count},).")
    total = float(weights.sum())
    require(abs(total - 1) < 1e-5, f"modes.weights sum to {number(total)} and not to 1.")
    require(std > 0, f"modes.std={std} must be above zero.")
    if count > 1:
        nearest = float(torch.pdist(centres.double()).min())
        require(
            nearest > MODES_APART * std,
            f"Two modes stand {number(nearest / std)} stds apart, and metrics of modes need {MODES_APART}.",
        )
    box = case.target.box
    spans = torch.equal(box.low, centres.amin(0)) and torch.equal(box.high, centres.amax(0))
    require(spans, "box must be the smallest one around the modes' centres.")
    samples = case.target.sample(MANY * 10, stream())
    distances = torch.cdist(samples.double(), centres.double())
    off, mode = distances.min(1)
    within = float((off < MODES_APART / 2 * std * math.sqrt(centres.shape[1])).double().mean())
    require(
        within > 0.95, f"Only {100 * within:.0f} % of the samples lie at the modes: their centres or std are wrong."
    )
    shares = torch.bincount(mode, minlength=count) / len(samples)
    gap = (shares - weights).abs() - 5 * (weights * (1 - weights) / len(samples)).sqrt()
    require(bool((gap <= 1e-9).all()), "modes.weights are not the shares of samples that the modes have.")
    return f"{count} modes of std {number(std)} share the samples as their weights say."


def curve_is_finely_sampled(case: DatasetCase) -> str:
    """A curve's points lie closer than its std, and mass and arc rise from 0 to 1 and to its length."""
    curve = case.target.curve
    if curve is None:
        raise Skip("it doesn't lie along a curve")
    between = (curve.points[1:] - curve.points[:-1]).double().norm(dim=1)
    require(float(between.max()) < curve.std, "Two neighbouring points of the curve lie further apart than its std.")
    arcs = (curve.arc[1:] - curve.arc[:-1]).double()
    require(torch.allclose(arcs, between, atol=1e-6), "curve.arc is not the length up to each point.")
    for name, rising, end in (("arc", curve.arc, between.sum().item()), ("mass", curve.mass, 1.0)):
        rises = bool(rising[0] == 0 and (rising[1:] > rising[:-1]).all())
        require(rises and _near(rising[-1], end), f"curve.{name} must rise from 0 to {number(end)}.")
    return f"The curve is {number(between.sum().item())} long, in {len(curve.points)} points."


CHECKS = (
    truth_is_the_default,
    density_is_of_each_sample,
    density_is_that_of_the_samples,
    modes_lie_apart,
    curve_is_finely_sampled,
)


def _near(value: Tensor, expected: float) -> bool:
    return math.isclose(value.item(), expected, rel_tol=1e-6)
