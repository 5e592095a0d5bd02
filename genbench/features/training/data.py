"""What extractors are trained and measured on: parts of genbench's own datasets, with labels for each head."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from genbench.datasets.base import Part
from genbench.registry import datasets


class Labelled(NamedTuple):
    """Images with `labels` `(n, heads)`; `names` are those of the classes or, of yes or no, of the heads."""

    origin: str
    images: Part
    labels: Tensor
    names: tuple[str, ...]


class Parts(NamedTuple):
    """What an extractor is trained on, and what its card's figures are measured on."""

    train: Labelled
    reference: Labelled


def mnist() -> Parts:
    """The digits of `mnist`, told apart by one head."""
    return _by_class("mnist")


def fashion() -> Parts:
    """The clothes of `fashion-mnist`, told apart by one head."""
    return _by_class("fashion-mnist")


def _by_class(dataset: str) -> Parts:
    built = datasets.build(dataset)

    def labelled(name: str, part: Part) -> Labelled:
        assert part.labels is not None
        return Labelled(f"{dataset}, {name}", part, part.labels[:, None], built.classes)

    return Parts(labelled("train", built.train), labelled("reference", built.reference))


def celeba() -> Parts:
    """The faces of `celeba` at 64 × 64, with a head for each attribute."""
    from genbench.datasets.faces import attributes

    faces, told = datasets.build("celeba"), attributes()
    train, reference = (torch.from_numpy(part).long() for part in (told.train, told.reference))
    return Parts(
        Labelled("celeba, train", faces.train, train, told.names),
        Labelled("celeba, reference", faces.reference, reference, told.names),
    )
