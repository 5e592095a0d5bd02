"""Protocols: named, versioned ways of scoring. Values of different protocols never share a column."""

from __future__ import annotations

from genbench.errors import UnknownName
from genbench.scoring.protocols.base import Protocol
from genbench.scoring.protocols.images import (
    CELEBA1,
    CELEBA1_SMALL,
    CELEBA_SMOKE,
    IMAGES1,
    IMAGES1_SMALL,
    MNIST1,
    MNIST_SMOKE,
    STACKED_MNIST1,
    STACKED_MNIST_SMOKE,
)
from genbench.scoring.protocols.points import GENBENCH1, PACGAN2018, SMOKE, VEEGAN2017

POINTS = (GENBENCH1, PACGAN2018, VEEGAN2017, SMOKE)
IMAGES = (
    MNIST1, MNIST_SMOKE, STACKED_MNIST1, STACKED_MNIST_SMOKE, CELEBA1, CELEBA1_SMALL, CELEBA_SMOKE, IMAGES1,
    IMAGES1_SMALL,
)  # fmt: skip
DEFAULT = GENBENCH1.name
"""What is scored under where neither a plan nor a dataset says so."""

PROTOCOLS = {protocol.name: protocol for protocol in (*POINTS, *IMAGES)}


def protocol(name: str) -> Protocol:
    """The protocol of that name; raises UnknownName."""
    if name not in PROTOCOLS:
        raise UnknownName("protocol", name, PROTOCOLS)
    return PROTOCOLS[name]


__all__ = ["DEFAULT", "IMAGES", "POINTS", "PROTOCOLS", "Protocol", "protocol"]
