"""The engine: it owns the loop, the data, the clock and the random streams."""

from typing import Literal

Engine = Literal["auto", "plain", "compiled", "graph"]
"""How updates are run. It changes results by no more than rounding, so it is no part of a trial's identity."""
