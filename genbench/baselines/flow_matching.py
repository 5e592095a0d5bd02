"""Flow matching on straight paths: Lipman et al., 2023, arXiv:2210.02747; Liu, Gong and Liu, 2023, arXiv:2209.03003."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from genbench import api

from .parameters import Batch, Depth, Rate, Schedule, Width

if TYPE_CHECKING:
    from torch import Tensor


@api.trainer("flow-matching", version=2, citation="arXiv:2210.02747")
def flow_matching(
    problem: api.Problem,
    *,
    solver: Annotated[Literal["euler", "heun"], api.doc("of the samples' paths; heun evaluates twice a step")] = "heun",
    steps: Annotated[api.Count, api.doc("of the solver, from noise to a sample")] = 100,
    batch: Batch = 256,
    width: Width = 64,
    depth: Depth = 3,
    lr: Rate = 8e-3,
    schedule: Schedule = "linear",
) -> api.Method:
    """Flow matching: a velocity field that carries noise to data on straight paths.

    Symbols: v is `velocity`, x₀ is `noise`, x₁ is `real`, t is `time`. It learns ‖v(x_t, t) − (x₁ − x₀)‖² at x_t =
    (1 − t)x₀ + t x₁ (arXiv:2210.02747, equation 23 with σ_min = 0), each x₀ paired with any x₁. Samples are where the
    paths of noise along v end at t = 1. The network is fully connected, and adds a share of x_t.
    """
    import torch

    def loss(nets: api.Networks, batch: api.Batch) -> Tensor:
        moved = nets.velocity(batch.noise.lerp(batch.real, batch.time), batch.time.flatten(1))
        return (moved - (batch.real - batch.noise)).square().mean()

    def sample(nets: api.Networks, noise: Tensor) -> Tensor:
        x, length = noise, 1 / steps
        for step in range(steps):
            start = torch.full_like(x.flatten(1)[:, :1], step * length)
            slope = nets.velocity(x, start)
            if solver == "heun":
                slope = 0.5 * (slope + nets.velocity(x + length * slope, start + length))
            x = x + length * slope
        return x

    noise = api.Normal(problem.event_shape)
    draws: dict[str, api.Draw] = {"real": api.Real(), "noise": noise, "time": api.Uniform(shape=problem.number_shape)}
    return api.Method(
        networks={"velocity": problem.denoiser(width=width, depth=depth)},
        phases=[api.Phase("velocity", loss, draws)],
        optimizers={"velocity": api.Optimizer("adam", lr)},
        prior=noise,
        batch=batch,
        schedule=schedule,
        sample=sample,
    )
