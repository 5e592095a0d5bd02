"""The engine: it owns the loop, the data, the clock and the random streams."""

from typing import Literal, NamedTuple

Engine = Literal["auto", "plain", "compiled", "graph"]
"""How updates are run. It changes results by no more than rounding, so it is no part of a trial's identity."""

Precision = Literal["highest", "high", "medium", "bf16"]
"""Of float32 products, in torch's words: exact, with TF32 allowed, with bfloat16 allowed, where the device has it.
cuDNN's convolutions are exact or, with `high` and `medium`, allowed TF32. `bf16` casts whole layers to bfloat16, as
torch's autocast does."""


class Numerics(NamedTuple):
    """How numbers are held and multiplied; like the engine, it is no part of a trial's identity.

    With `autocast`, networks compute under torch's autocast to bfloat16; with `channels_last`, images and
    convolutions hold their channels next to each other. Both are the plain path's alone.
    """

    autocast: bool = False
    channels_last: bool = False


EXACT = Numerics()
