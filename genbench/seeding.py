"""One seed, many independent random streams: each role in a trial draws from its own.

At one seed every method sees the same data and starts from the same networks, because a stream depends on
the seed and the role alone. Nothing in genbench draws from a global stream; what a method draws there is of its trial's
own as well (genbench.engine.global_streams).
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch

TRAINING_DATA = "training data"
TRAINING_NOISE = "training noise"
EVALUATION_NOISE = "evaluation noise"
REFERENCE_DATA = "reference data"
CONTROL_DATA = "control data"
HELD_OUT_DATA = "held-out data"
NULL_DATA = "null band data"
NULL_CHECK = "null band check"
POWER_DATA = "power card data"
PROJECTIONS = "projections"
SUBSETS = "subsets"
LATENTS = "portrait"
CONTRACT = "contract"
INNER_DRAWS = "draws inside losses and networks"
GLOBAL_BUILDING = "global streams while a method is built"
GLOBAL_TRAINING = "global streams while it trains"
GLOBAL_EVALUATION = "global streams while it is evaluated"


def derive(seed: int, role: str) -> int:
    """The seed of one role's stream, in [0, 2⁶³): the head of SHA-256 over the seed and the role."""
    digest = hashlib.sha256(f"genbench/{seed}/{role}".encode()).digest()
    return int.from_bytes(digest[:8], "big") >> 1


def stream(seed: int, role: str, device: torch.device | str = "cpu") -> torch.Generator:
    """A fresh torch generator for `role` at `seed`, on `device`."""
    import torch

    return torch.Generator(device=device).manual_seed(derive(seed, role))
