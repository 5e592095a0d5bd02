"""RealNVP, a flow of affine coupling layers: Dinh, Sohl-Dickstein and Bengio, 2017, arXiv:1605.08803."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from genbench import api

if TYPE_CHECKING:
    from torch import Tensor


@api.trainer("realnvp", citation="arXiv:1605.08803")
def realnvp(
    problem: api.Problem,
    *,
    layers: api.Count = 6,
    width: api.Count = 64,
    batch: api.Count = 256,
    lr: api.Positive = 1e-3,
    schedule: api.ScheduleName = "cosine",
) -> api.Method:
    """RealNVP for points, trained by maximum likelihood, which it says exactly.

    Symbols as in the paper: s and t are the two outputs of a coupling, b is `mask`. f maps data to noise, and samples
    are f⁻¹ of noise.
    """
    import torch
    from torch import nn

    features = problem.event_shape[0]

    class Flow(nn.Module):
        """f with its log-determinant, `(n, features + 1)`, or f⁻¹ where `inverse`, `(n, features)`."""

        def __init__(self) -> None:
            super().__init__()
            couplings = [
                nn.Sequential(
                    nn.Linear(features, width), nn.ReLU(), nn.Linear(width, width), nn.ReLU(),
                    nn.Linear(width, 2 * features),
                )
                for _ in range(layers)
            ]  # fmt: skip
            self.couplings = nn.ModuleList(couplings)
            masks = (torch.arange(layers)[:, None] + torch.arange(features)) % 2
            self.register_buffer("masks", masks.to(torch.get_default_dtype()))

        def forward(self, x: Tensor, inverse: bool = False) -> Tensor:
            log_determinant = torch.zeros_like(x[:, :1])
            order = range(layers - 1, -1, -1) if inverse else range(layers)
            for i in order:
                mask = self.masks[i]
                s, t = (self.couplings[i](mask * x) * (1 - mask).repeat(2)).chunk(2, dim=1)
                s = s.tanh()
                x = (x - t) * (-s).exp() if inverse else x * s.exp() + t
                log_determinant = log_determinant + s.sum(1, keepdim=True)
            return x if inverse else torch.cat([x, log_determinant], dim=1)

    def log_prob(nets: api.Networks, x: Tensor) -> Tensor:
        moved = nets.flow(x)
        z, log_determinant = moved[:, :-1], moved[:, -1]
        return log_determinant - 0.5 * (z.square() + math.log(2 * math.pi)).sum(1)

    return api.Method(
        networks={"flow": problem.initialised("flow", lambda rng: Flow())},
        phases=[api.Phase("flow", lambda nets, batch: -log_prob(nets, batch.real).mean(), {"real": api.Real()})],
        optimizers={"flow": api.Optimizer("adam", lr)},
        prior=api.Normal((features,)),
        batch=batch,
        schedule=schedule,
        sample=lambda nets, noise: nets.flow(noise, inverse=True),
        log_prob=log_prob,
    )
