"""Denoising diffusion: Ho, Jain and Abbeel, 2020, arXiv:2006.11239; cosine variances: arXiv:2102.09672."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Annotated, Literal

from genbench import api

from .parameters import Batch, Depth, Rate, Schedule, Width

if TYPE_CHECKING:
    from torch import Tensor


@api.trainer("ddpm", version=3, citation="arXiv:2006.11239")
def ddpm(
    problem: api.Problem,
    *,
    steps: Annotated[api.Count, api.doc("T, the steps of diffusion, and evaluations for a sample")] = 50,
    variance: Annotated[Literal["fixed_small", "fixed_large"], api.doc("β̃_t or β_t of steps' noise")] = "fixed_small",
    clip: Annotated[api.Positive | None, api.doc("bound of x₀ in a step; left out: 1 for images, else none")] = None,
    batch: Batch = 256,
    width: Width = 64,
    depth: Depth = 3,
    lr: Rate = 8e-3,
    schedule: Schedule = "linear",
) -> api.Method:
    """Denoising diffusion, with the simple loss and ancestral sampling.

    Symbols as in the paper: T is `steps`, ε_θ is `denoiser`, ε is `epsilon`, ᾱ_t is `kept(t)`, half a cosine; it learns
    ‖ε − ε_θ(√ᾱ_t x + √(1 − ᾱ_t) ε, t)‖² (equation 14). A step of sampling draws from q(x_{t−1} | x_t, x₀) (equation 7),
    for x₀ what ε_θ leaves of x_t (equation 15), clipped as in the authors' code: where ᾱ_t is small, a small mistake in
    ε is a large one in x₀. The steps' noise comes from the prior. Its variance is right for a point (β̃_t) or N(0, I)
    (β_t; section 3.2): with β̃_t even the true ε gives .79 of a std of .1 at T = 50, .98 at the paper's 1 000. The
    denoiser is fully connected and adds a share of x_t. The paper's β_t are linear, ᾱ_t is never below 1e-4 here.
    """
    import torch

    bound = clip or (1.0 if len(problem.event_shape) == 3 else math.inf)

    def kept(t: Tensor) -> Tensor:
        cosine = (0.5 * math.pi * (t / steps + 0.008) / 1.008).cos() / math.cos(0.5 * math.pi * 0.008 / 1.008)
        return cosine.square().clamp(min=1e-4)

    def denoised(nets: api.Networks, x: Tensor, t: Tensor) -> Tensor:
        return nets.denoiser(x, t.flatten(1) / steps)

    def simple_loss(nets: api.Networks, batch: api.Batch) -> Tensor:
        t = 1 + (batch.time * steps).floor()
        noisy = kept(t).sqrt() * batch.real + (1 - kept(t)).sqrt() * batch.epsilon
        return (denoised(nets, noisy, t) - batch.epsilon).square().mean()

    def sample(nets: api.Networks, noise: Tensor) -> Tensor:
        x = noise[:, 0]
        for step in range(steps, 0, -1):
            t = torch.full_like(x.flatten(1)[:, :1], step).view(-1, *problem.number_shape)
            now, before = kept(t), kept(t - 1)
            beta = 1 - now / before
            start = ((x - (1 - now).sqrt() * denoised(nets, x, t)) / now.sqrt()).clamp(-bound, bound)
            x = (before.sqrt() * beta * start + (1 - beta).sqrt() * (1 - before) * x) / (1 - now)
            if step > 1:
                share = 1.0 if variance == "fixed_large" else (1 - before) / (1 - now)
                x = x + (share * beta).sqrt() * noise[:, step - 1]
        return x

    epsilon, time = api.Normal(problem.event_shape), api.Uniform(shape=problem.number_shape)
    draws: dict[str, api.Draw] = {"real": api.Real(), "epsilon": epsilon, "time": time}
    return api.Method(
        networks={"denoiser": problem.denoiser(width=width, depth=depth)},
        phases=[api.Phase("denoiser", simple_loss, draws)],
        optimizers={"denoiser": api.Optimizer("adam", lr)},
        prior=api.Normal((steps, *problem.event_shape)),
        batch=batch,
        schedule=schedule,
        sample=sample,
    )
