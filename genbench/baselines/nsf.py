"""Neural spline flows: Durkan, Bekasov, Murray and Papamakarios, 2019, arXiv:1906.04032."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from annotated_types import Ge, Le

from genbench import api

from .parameters import Batch, Depth, Rate, Schedule, Width

if TYPE_CHECKING:
    from torch import Tensor


@api.trainer("nsf", version=2, citation="arXiv:1906.04032")
def nsf(
    problem: api.Problem,
    *,
    layers: Annotated[api.Count, api.doc("couplings, each of which moves one half of a sample")] = 4,
    bins: Annotated[int, Ge(2), Le(64), api.doc("K, the pieces of each spline")] = 16,
    batch: Batch = 256,
    width: Width = 64,
    depth: Depth = 2,
    lr: Rate = 2e-3,
    schedule: Schedule = "linear",
) -> api.Method:
    """Neural spline flow, a normalizing flow trained by maximum likelihood, which it says exactly.

    f is `flow`, which maps a sample to noise z with the log of its Jacobian's determinant, the inverse of the paper's
    f; it learns −ln N(f(x); 0, I) − ln |det ∂f/∂x|, and samples are f⁻¹ of noise. The couplings' splines have K bins on
    [−5, 5] and are the identity beyond. Conditioners are fully connected, the paper's are residual; halves alternate
    instead of being mixed by linear maps.
    """

    def log_prob(nets: api.Networks, x: Tensor) -> Tensor:
        said = nets.flow(x)
        return api.normal_log_prob(said[:, :-1]) + said[:, -1]

    def loss(nets: api.Networks, batch: api.Batch) -> Tensor:
        return -log_prob(nets, problem.dequantised(batch)).mean()

    return api.Method(
        networks={"flow": problem.flow(layers=layers, width=width, depth=depth, bins=bins)},
        phases=[api.Phase("flow", loss, {"real": api.Real(), **problem.dequantising})],
        optimizers={"flow": api.Optimizer("adam", lr)},
        prior=api.Normal((problem.size,)),
        batch=batch,
        schedule=schedule,
        sample=lambda nets, noise: nets.flow(noise, inverse=True),
        log_prob=log_prob,
    )
