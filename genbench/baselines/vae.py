"""The variational autoencoder: Kingma and Welling, 2014, arXiv:1312.6114; β: Higgins et al., 2017."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Annotated, Literal

from genbench import api

from .parameters import Batch, Depth, Latent, Rate, Schedule, Width

if TYPE_CHECKING:
    from torch import Tensor


@api.trainer("vae", citation="arXiv:1312.6114")
def vae(
    problem: api.Problem,
    *,
    decoder: Annotated[Literal["gaussian", "bernoulli"], api.doc("p(x|z), x in [−1, 1] as [0, 1]")] = "gaussian",
    beta: Annotated[api.NonNegative, api.doc("β, the weight of the divergence; 1 is the evidence lower bound")] = 1.0,
    warmup: Annotated[api.Share, api.doc("the share of the budget in which β rises to its value")] = 0.5,
    bound: Annotated[api.Count, api.doc("draws of q(z|x) for each sample's likelihood; 1 is the ELBO")] = 64,
    batch: Batch = 256,
    latent: Latent = 2,
    width: Width = 64,
    depth: Depth = 3,
    lr: Rate = 4e-3,
    schedule: Schedule = "linear",
) -> api.Method:
    """Variational autoencoder with a Gaussian or Bernoulli decoder.

    Symbols as in the paper: q(z|x) is `encoder`, p(x|z) is `generator`, a Gaussian by mean and log std, ε is `epsilon`.
    It learns −E ln p(x|z) + β KL(q(z|x) ‖ p(z)) at one z = μ + σε (section 2.3); β rises, lest q(z|x) stay the prior
    (arXiv:1511.06349). Its bound is importance-weighted (arXiv:1509.00519); Bernoulli's probabilities have none.
    """
    import torch

    if decoder == "bernoulli" and len(problem.event_shape) != 3:
        raise api.BadParameter("A Bernoulli decoder gives probabilities of pixels: decoder=gaussian suits points.")
    both, size, discrete = ("generator", "encoder"), problem.size, decoder == "bernoulli"

    def terms(nets: api.Networks, x: Tensor, epsilon: Tensor) -> tuple[Tensor, Tensor]:
        mean, log_std = nets.encoder(x).chunk(2, dim=-1)
        z = mean + log_std.exp() * epsilon
        said = nets.generator(z)
        divergence = api.normal_log_prob(z, mean, log_std) - api.normal_log_prob(z)
        decoded = api.bernoulli_log_prob(x / 2 + 0.5, said) if discrete else api.normal_log_prob(x, *said.chunk(2, -1))
        return decoded, divergence

    def negative_bound(nets: api.Networks, batch: api.Batch) -> Tensor:
        decoded, divergence = terms(nets, problem.dequantised(batch).flatten(1), batch.epsilon)
        return (beta * (batch.progress / warmup).clamp(max=1.0) * divergence - decoded).mean()

    def sample(nets: api.Networks, noise: Tensor) -> Tensor:
        said = nets.generator(noise[:, :latent])
        x = 2 * said.sigmoid() - 1 if discrete else said[:, :size] + said[:, size:].exp() * noise[:, latent:]
        return x.reshape(-1, *problem.event_shape)

    def log_prob(nets: api.Networks, x: Tensor) -> Tensor:
        epsilon = torch.randn(bound, len(x), latent, dtype=x.dtype, device=x.device)
        decoded, divergence = terms(nets, x.flatten(1).expand(bound, len(x), size), epsilon)
        return (decoded - divergence).logsumexp(0) - math.log(bound)

    draws: dict[str, api.Draw] = {"real": api.Real(), "epsilon": api.Normal((latent,))}
    return api.Method(
        networks={
            "generator": problem.mlp("generator", latent, size if discrete else 2 * size, width=width, depth=depth),
            "encoder": problem.mlp("encoder", size, 2 * latent, width=width, depth=depth),
        },
        phases=[api.Phase(both, negative_bound, draws | ({} if discrete else problem.dequantising))],
        optimizers=dict.fromkeys(both, api.Optimizer("adam", lr)),
        prior=api.Normal((latent if discrete else latent + size,)),
        batch=batch,
        schedule=schedule,
        sample=sample,
        log_prob=None if discrete else log_prob,
        bound=None if discrete else bound,
    )
