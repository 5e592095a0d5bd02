"""Feature extractors that plugins bring: whatever takes images, made into an extractor with an identity."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import torch
from torch import Tensor, nn

from genbench.errors import GenbenchError
from genbench.features import Extracted
from genbench.features.extraction import follow
from genbench.registry import ExtractorEntry

BLOCK = 256
"""So many images are taken at once."""


class Brought:
    """A plugin's function or module that gives features `(n, size)` of images, or an `Extracted`, as an extractor.

    It is known by its source, and a module by its weights too. A module is frozen, and follows images to their device.
    It looks at one block of images at a time, since nobody knows what it holds while it looks.
    """

    alone = True

    def __init__(self, entry: ExtractorEntry) -> None:
        made = entry.build()
        if not callable(made):
            raise GenbenchError(
                f"The extractor {entry.name!r} gave {made!r}. Let it return a module, or a function of images."
            )
        self.name = f"{entry.name}-{entry.version}"
        self.extract = made
        digest = hashlib.sha256(json.dumps(entry.source, sort_keys=True).encode())
        if isinstance(made, nn.Module):
            made.eval().requires_grad_(False)
            for key, weight in sorted(made.state_dict().items()):
                digest.update(f"{key} {weight.dtype} {tuple(weight.shape)}".encode())
                digest.update(weight.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy().tobytes())
        self.sha256 = digest.hexdigest()

    @torch.no_grad()
    def __call__(self, images: Tensor) -> Extracted:
        """Raises GenbenchError for answers that are no features, one row an image."""
        if isinstance(self.extract, nn.Module):
            follow(self.extract, images)
        blocks = [self._extracted(block, self.extract(block)) for block in torch.split(images, BLOCK)]
        return Extracted(*map(torch.cat, zip(*blocks, strict=True)))

    def _extracted(self, images: Tensor, answer: Any) -> Extracted:
        n = len(images)
        if isinstance(answer, Tensor):
            answer = Extracted(answer, answer.new_zeros(n, 0, 0))
        if not isinstance(answer, Extracted) or answer.features.dim() != 2 or answer.logits.dim() != 3:
            raise GenbenchError(
                f"{self.name} must give features of shape (n, size), or api.Extracted(features, logits) with logits of "
                f"shape (n, heads, classes), and gave {_shapes(answer)}."
            )
        if len(answer.features) != n or len(answer.logits) != n:
            raise GenbenchError(f"{self.name} looked at {n} images and gave {_shapes(answer)}.")
        return answer


def _shapes(answer: Any) -> str:
    parts = answer if isinstance(answer, tuple) else (answer,)
    return " and ".join(str(tuple(part.shape)) if isinstance(part, Tensor) else repr(part) for part in parts)
