"""RealNVP: Dinh, Sohl-Dickstein and Bengio, 2017, arXiv:1605.08803."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from genbench import api

from .parameters import Batch, Depth, Rate, Schedule, Width

if TYPE_CHECKING:
    from torch import Tensor


@api.trainer("realnvp", version=3, citation="arXiv:1605.08803")
def realnvp(
    problem: api.Problem,
    *,
    layers: Annotated[api.Count, api.doc("couplings, each of which moves one half of a sample")] = 16,
    batch: Batch = 256,
    width: Width = 64,
    depth: Depth = 2,
    lr: Rate = 5e-4,
    schedule: Schedule = "linear",
) -> api.Method:
    """Normalizing flow of affine couplings, trained by maximum likelihood, which it says exactly.

    Symbols as in the paper: f is `flow`, which maps a sample to noise z with the log of its Jacobian's determinant; it
    learns −ln N(f(x); 0, I) − ln |det ∂f/∂x|, and samples are f⁻¹ of noise. s and t of a coupling come from a fully
    connected network. Without the paper's multi-scale architecture and batch normalisation.
    """

    def log_prob(nets: api.Networks, x: Tensor) -> Tensor:
        said = nets.flow(x)
        return api.normal_log_prob(said[:, :-1]) + said[:, -1]

    def loss(nets: api.Networks, batch: api.Batch) -> Tensor:
        return -log_prob(nets, problem.dequantised(batch)).mean()

    return api.Method(
        networks={"flow": problem.flow(layers=layers, width=width, depth=depth)},
        phases=[api.Phase("flow", loss, {"real": api.Real(), **problem.dequantising})],
        optimizers={"flow": api.Optimizer("adam", lr)},
        prior=api.Normal((problem.size,)),
        batch=batch,
        schedule=schedule,
        sample=lambda nets, noise: nets.flow(noise, inverse=True),
        log_prob=log_prob,
    )
