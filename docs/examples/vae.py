"""The variational autoencoder: Kingma and Welling, 2014, arXiv:1312.6114."""

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
    width: api.Count = 128,
    batch: api.Count = 256,
    lr: api.Positive = 2e-3,
    schedule: api.ScheduleName = "cosine",
    warmup: api.Share = 0.5,
    bound: api.Count = 64,
) -> api.Method:
    """Variational autoencoder with Gaussian decoder, for points.

    Symbols as in the paper: q(z|x) is given by `encoder`, p(x|z) by `generator`, which gives a mean and a log standard
    deviation; ε is `epsilon`. The divergence's weight rises to 1 over the share `warmup` of the budget, lest q(z|x) be
    the prior (arXiv:1511.06349). The likelihood is bounded by `bound` samples of q(z|x) each (arXiv:1509.00519).
    """
    import torch
    from torch import nn

    features = problem.event_shape[0]

    def network(inputs: int, outputs: int) -> nn.Module:
        layers = nn.Linear(inputs, width), nn.ReLU(), nn.Linear(width, width), nn.ReLU()
        return nn.Sequential(*layers, nn.Linear(width, 2 * outputs))

    def normal_log_prob(x: Tensor, mean: Tensor, log_std: Tensor) -> Tensor:
        return -(0.5 * ((x - mean) / log_std.exp()).square() + 0.5 * math.log(2 * math.pi) + log_std).sum(-1)

    def terms(nets: api.Networks, x: Tensor, epsilon: Tensor) -> tuple[Tensor, Tensor]:
        """ln p(x|z) and ln q(z|x) − ln p(z), at z = μ(x) + σ(x)ε."""
        mean, log_std = nets.encoder(x).chunk(2, dim=-1)
        z = mean + log_std.exp() * epsilon
        decoded = normal_log_prob(x, *nets.generator(z).chunk(2, dim=-1))
        return decoded, normal_log_prob(z, mean, log_std) - normal_log_prob(z, 0 * z, 0 * z)

    def negative_bound(nets: api.Networks, batch: api.Batch) -> Tensor:
        decoded, divergence = terms(nets, batch.real, batch.epsilon)
        return ((batch.progress / warmup).clamp(max=1.0) * divergence - decoded).mean()

    def sample(nets: api.Networks, noise: Tensor) -> Tensor:
        z, epsilon = noise.split([latent, features], dim=1)
        mean, log_std = nets.generator(z).chunk(2, dim=1)
        return mean + log_std.exp() * epsilon

    def log_prob(nets: api.Networks, x: Tensor) -> Tensor:
        epsilon = torch.randn(bound, len(x), latent, dtype=x.dtype, device=x.device)
        decoded, divergence = terms(nets, x.expand(bound, *x.shape), epsilon)
        return (decoded - divergence).logsumexp(0) - math.log(bound)

    adam, draws = api.Optimizer("adam", lr), {"real": api.Real(), "epsilon": api.Normal((latent,))}
    return api.Method(
        networks={
            "generator": problem.initialised("generator", lambda rng: network(latent, features)),
            "encoder": problem.initialised("encoder", lambda rng: network(features, latent)),
        },
        phases=[api.Phase(("generator", "encoder"), negative_bound, draws)],
        optimizers={"generator": adam, "encoder": adam},
        prior=api.Normal((latent + features,)),
        batch=batch,
        schedule=schedule,
        sample=sample,
        log_prob=log_prob,
        bound=bound,
    )
