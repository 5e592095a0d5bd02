"""The suites that come with genbench."""

from __future__ import annotations

from genbench.registry import suites
from genbench.spec import Budget, Suite

suite = suites.register


@suite("toy2d")
def toy2d() -> Suite:
    """Mode collapse in the plane: GAN, WGAN and WGAN-GP on 8 and 25 Gaussians and a Swiss roll, five seeds each.

    6 000 generator steps for everyone. The trainers' defaults were chosen by a search with as many tries for each,
    on other seeds: results/search/toy2d.md.
    """
    return Suite(
        name="toy2d",
        version=1,
        datasets=("ring8", "grid25", "swissroll"),
        trainers=("gan", "wgan", "wgan-gp"),
        seeds=(0, 1, 2, 3, 4),
        budget=Budget(kind="steps", amount=6_000),
        protocols=("genbench1", "pacgan2018", "veegan2017"),
    )


@suite("toy2d-smoke")
def toy2d_smoke() -> Suite:
    """toy2d with 30 generator steps and a tenth of the samples: does everything run? Its numbers mean nothing."""
    changes = {
        "name": "toy2d-smoke",
        "budget": Budget(kind="steps", amount=30),
        "protocols": ("smoke",),
        "checkpoints": 3,
        "control_draws": 2,
    }
    return toy2d().model_copy(update=changes)
