"""The engine: it owns the loop, the data, the clock and the random streams."""

from typing import Literal

Engine = Literal["auto", "plain", "compiled", "graph"]
"""How updates are run. It changes results by no more than rounding, so it is no part of a trial's identity."""

Precision = Literal["highest", "high", "medium"]
"""Of float32 products, in torch's words: exact, with TF32 allowed, with bfloat16 allowed, where the device has it."""
