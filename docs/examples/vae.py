"""The variational autoencoder: Kingma and Welling, 2014, arXiv:1312.6114; its bound by importance: arXiv:1509.00519."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from genbench import api

if TYPE_CHECKING:
    from torch import Tensor


@api.trainer("vae", citation="arXiv:1312.6114")
def vae(
    problem: api.Problem,
    *,
    latent: api.Count = 2,
    width: api.Count = 64,
    batch: api.Count = 256,
    lr: api.Positive = 1e-3,
    bound: api.Count = 64,
) -> api.Method:
    """Variational autoencoder with Gaussian decoder, for points.

    Symbols as in the paper: q(z|x) is given by `encoder`, p(x|z) by `generator`, which gives a mean and a log standard
    deviation; ε is `epsilon`. The likelihood is bounded by `bound` samples of q(z|x) for each x.
    """
    import torch
    from torch import nn

    features = problem.event_shape[0]

    def network(inputs: int, outputs: int) -> nn.Module:
        layers = nn.Linear(inputs, width), nn.ReLU(), nn.Linear(width, width), nn.ReLU()
        return nn.Sequential(*layers, nn.Linear(width, 2 * outputs))

    def normal_log_prob(x: Tensor, mean: Tensor, log_std: Tensor) -> Tensor:
        square = ((x - mean) * (-log_std).exp()).square()
        return (-0.5 * (square + math.log(2 * math.pi)) - log_std).sum(-1)

    def log_weight(nets: api.Networks, x: Tensor, epsilon: Tensor) -> Tensor:
        """ln p(x, z) − ln q(z|x) at z = μ(x) + σ(x)ε."""
        mean, log_std = nets.encoder(x).chunk(2, dim=-1)
        z = mean + log_std.exp() * epsilon
        prior = normal_log_prob(z, torch.zeros_like(z), torch.zeros_like(z))
        decoded = normal_log_prob(x, *nets.generator(z).chunk(2, dim=-1))
        return decoded + prior - normal_log_prob(z, mean, log_std)

    def negative_bound(nets: api.Networks, batch: api.Batch) -> Tensor:
        return -log_weight(nets, batch.real, batch.epsilon).mean()

    def sample(nets: api.Networks, noise: Tensor) -> Tensor:
        z, epsilon = noise.split([latent, features], dim=1)
        mean, log_std = nets.generator(z).chunk(2, dim=1)
        return mean + log_std.exp() * epsilon

    def log_prob(nets: api.Networks, x: Tensor) -> Tensor:
        repeated = x.expand(bound, *x.shape)
        weights = log_weight(nets, repeated, torch.randn(bound, len(x), latent, dtype=x.dtype, device=x.device))
        return weights.logsumexp(0) - math.log(bound)

    adam = api.Optimizer("adam", lr)
    return api.Method(
        networks={
            "generator": problem.initialised("generator", lambda rng: network(latent, features)),
            "encoder": problem.initialised("encoder", lambda rng: network(features, latent)),
        },
        phases=[
            api.Phase(("generator", "encoder"), negative_bound, {"real": api.Real(), "epsilon": api.Normal((latent,))})
        ],
        optimizers={"generator": adam, "encoder": adam},
        prior=api.Normal((latent + features,)),
        batch=batch,
        sample=sample,
        log_prob=log_prob,
        bound=bound,
    )
