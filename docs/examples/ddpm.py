"""Denoising diffusion (DDPM): Ho, Jain and Abbeel, 2020, arXiv:2006.11239; cosine variances: arXiv:2102.09672."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from genbench import api

if TYPE_CHECKING:
    from torch import Tensor


@api.trainer("ddpm", citation="arXiv:2006.11239")
def ddpm(
    problem: api.Problem,
    *,
    steps: api.Count = 50,
    width: api.Count = 128,
    batch: api.Count = 256,
    lr: api.Positive = 1e-3,
    schedule: api.ScheduleName = "cosine",
) -> api.Method:
    """Denoising diffusion for points, with the paper's simple loss and its ancestral sampling.

    Symbols as in the paper: T is `steps`, ε_θ is `denoiser`, ε is `epsilon`, ᾱ_t is `signal(t)`, half a cosine. The
    steps' own noise comes from the prior, beside the first: `steps` times the samples' shape.
    """
    import torch
    from torch import nn

    features = problem.event_shape[0]

    class Denoiser(nn.Module):
        """ε_θ(x, t) for x `(n, features)` and t `(n, 1)`, which it sees as sines and cosines."""

        def __init__(self) -> None:
            super().__init__()
            self.layers = nn.Sequential(
                nn.Linear(features + 16, width), nn.SiLU(), nn.Linear(width, width), nn.SiLU(),
                nn.Linear(width, width), nn.SiLU(), nn.Linear(width, features),
            )  # fmt: skip
            self.register_buffer("frequencies", torch.arange(8).exp2())

        def forward(self, x: Tensor, t: Tensor) -> Tensor:
            angles = t / steps * self.frequencies
            return self.layers(torch.cat([x, angles.sin(), angles.cos()], dim=1))

    def signal(t: Tensor) -> Tensor:
        return (0.5 * math.pi * (t / steps + 0.008) / 1.008).cos().square().clamp(min=1e-4)

    def simple_loss(nets: api.Networks, batch: api.Batch) -> Tensor:
        t = 1 + (batch.time * steps).floor()
        noisy = signal(t).sqrt() * batch.real + (1 - signal(t)).sqrt() * batch.epsilon
        return (nets.denoiser(noisy, t) - batch.epsilon).square().mean()

    def sample(nets: api.Networks, noise: Tensor) -> Tensor:
        x = noise[:, 0]
        for step in range(steps, 0, -1):
            t = torch.full_like(x[:, :1], step)
            kept, before = signal(t), signal(t - 1)
            beta = 1 - kept / before
            x = (x - beta / (1 - kept).sqrt() * nets.denoiser(x, t)) / (1 - beta).sqrt()
            if step > 1:
                x = x + ((1 - before) / (1 - kept) * beta).sqrt() * noise[:, step - 1]
        return x

    draws = {"real": api.Real(), "epsilon": api.Normal((features,)), "time": api.Uniform(shape=(1,))}
    return api.Method(
        networks={"denoiser": problem.initialised("denoiser", lambda rng: Denoiser())},
        phases=[api.Phase("denoiser", simple_loss, draws)],
        optimizers={"denoiser": api.Optimizer("adam", lr)},
        prior=api.Normal((steps, features)),
        batch=batch,
        schedule=schedule,
        sample=sample,
    )
