"""What the pictures of a finished trial need besides its samples."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress

import torch
from torch import Generator, Tensor

from genbench import seeding
from genbench.datasets.base import Dataset, Finite, Target
from genbench.datasets.images import as_pixels
from genbench.engine.draws import Noise, Normal, Uniform, draw_noise
from genbench.engine.stack import Stack
from genbench.errors import Skip
from genbench.metrics.memorisation import nearest
from genbench.records.layout import IMAGE_SHAPE

REAL_POINTS = 1_000
LANDSCAPE_SIDE = 96
LANDSCAPE_MARGIN = 0.3
"""How far a landscape reaches beyond the target's bounding box, in units of the box."""

REAL_IMAGES = 64
PAIRS = 4
"""Of latents to go between."""

LOOKED_UP = 8
"""Samples whose neighbours are looked for."""

STEPS = 11
DIMENSIONS = 16
"""Of the latent space, the first ones: so many are swept at most."""

RANGE = 2.5
"""How far each goes to both sides, of normal noise; of uniform noise as far as it reaches."""

STRAIGHT = 1e-5
"""The sine of the angle between latents up to which they count as parallel or opposite."""

NEIGHBOURS = 5

REAL = ("real", "neighbours")
"""Images of the dataset itself."""

Pictured = dict[str, Tensor]
"""Tensors by the names that a report knows them by."""


def for_pictures(
    stack: Stack, replica: int, dataset: Dataset, samples: Tensor, seed: int, *, everything: bool = False
) -> Pictured:
    """What suits the dataset; nothing for samples that are neither images, rows of pixels nor points of the plane.

    Without `everything`, it is what a record may hold: no image of a private dataset.
    """
    rng = seeding.stream(seed, seeding.LATENTS)
    if isinstance(dataset, Target) and dataset.event_shape == (2,):
        return of_points(stack, replica, dataset)
    if isinstance(dataset, Target) and dataset.image_shape is not None:
        shape = dataset.image_shape
        real = dataset.sample(REAL_IMAGES, seeding.stream(0, seeding.REFERENCE_DATA))
        pictured = ways(lambda noise: _as_images(stack.generate(replica, noise), shape), stack.prior, rng)
        return pictured | {"real": as_pixels(real.reshape(-1, *shape)), IMAGE_SHAPE: torch.tensor(shape)}
    if isinstance(dataset, Finite) and len(dataset.event_shape) == 3:
        pictured = ways(lambda noise: stack.generate(replica, noise), stack.prior, rng) | likenesses(samples, dataset)
        return {
            name: tensor for name, tensor in pictured.items() if everything or not (dataset.private and name in REAL)
        }
    return {}


def of_points(stack: Stack, replica: int, dataset: Target) -> Pictured:
    """Real points, and the critic's landscape with its extent, of a target in the plane."""
    real = dataset.sample(REAL_POINTS, seeding.stream(0, seeding.REFERENCE_DATA))
    pictured = {"real": real.half()}
    margin = LANDSCAPE_MARGIN * (dataset.box.high - dataset.box.low)
    low, high = dataset.box.low - margin, dataset.box.high + margin
    axes = [torch.linspace(float(a), float(b), LANDSCAPE_SIDE) for a, b in zip(low, high, strict=True)]
    heights = stack.landscape(torch.cartesian_prod(*axes))
    if heights is not None:
        heights = heights[replica].cpu().reshape(LANDSCAPE_SIDE, LANDSCAPE_SIDE)
        # Half precision is finer than a picture's levels, but its range is small.
        pictured["landscape"] = (heights / heights.abs().amax().clamp(min=1e-30)).half()
        pictured["extent"] = torch.stack([low, high])
    return pictured


def ways(generate: Callable[[Tensor], Tensor | None], prior: Noise | None, rng: Generator) -> Pictured:
    """Images along ways through the latent space, `(rows, 11, channels, height, width)` of uint8.

    `generate` maps the prior's noise to images, if there is a prior.
    """
    pictured = {}
    for name, latents in journeys(prior, rng) if prior else ():
        images = generate(latents.flatten(0, 1))
        if images is not None:
            pictured[name] = as_pixels(images.cpu()).reshape(*latents.shape[:2], *images.shape[1:])
    return pictured


def _as_images(rows: Tensor | None, shape: tuple[int, int, int]) -> Tensor | None:
    return None if rows is None else rows.reshape(-1, *shape)


def journeys(prior: Noise, rng: Generator) -> Iterator[tuple[str, Tensor]]:
    """Latents `(rows, 11, *shape)` by name: interpolations between two draws, and a sweep of each dimension.

    Along great circles normal noise alone stays as likely as its ends. Of noise that is neither normal nor uniform
    nobody knows what lies between two draws.
    """
    if not isinstance(prior, Normal | Uniform):
        return
    low, high = (-RANGE, RANGE) if isinstance(prior, Normal) else (prior.low, prior.high)
    start, end, fixed = (draw_noise(prior, (n, 1), rng).flatten(2) for n in (PAIRS, PAIRS, 1))
    share = torch.linspace(0, 1, STEPS)[:, None]
    sweep = fixed.repeat(min(DIMENSIONS, fixed.shape[-1]), STEPS, 1)
    for dimension, latents in enumerate(sweep):
        latents[:, dimension] = torch.linspace(low, high, STEPS)
    ways = {"linear": torch.lerp(start, end, share)}
    if isinstance(prior, Normal):
        ways["spherical"] = spherical(start, end, share)
    for name, latents in (ways | {"sweep": sweep}).items():
        yield name, latents.reshape(*latents.shape[:2], *prior.shape)


def spherical(start: Tensor, end: Tensor, share: Tensor) -> Tensor:
    """The interpolation along the great circle, whose points are as likely as its ends. arXiv:1609.04468, section 2.1.

    The last dimension is the latents'; the others broadcast. Between parallel and between opposite latents, which no
    single great circle joins, it is the linear one.
    """
    one, other, t = start.double(), end.double(), share.double()
    angle = torch.nn.functional.cosine_similarity(one, other, dim=-1).clamp(-1, 1).arccos()[..., None]
    sine = angle.sin()
    along = (((1 - t) * angle).sin() * one + (t * angle).sin() * other) / sine
    return torch.where(sine > STRAIGHT, along, torch.lerp(one, other, t)).to(start.dtype)


def likenesses(pixels: Tensor, dataset: Finite) -> Pictured:
    """Real images, and the training images nearest to the first samples with their distances in grey levels."""
    real = dataset.reference.distinct(
        min(REAL_IMAGES, len(dataset.reference)), seeding.stream(0, seeding.REFERENCE_DATA)
    )
    pictured = {"real": as_pixels(real)}
    with suppress(Skip):
        distances, places = nearest(pixels[:LOOKED_UP], dataset.train, NEIGHBOURS)
        images = torch.stack([dataset.train.at(row) for row in places])
        pictured |= {"neighbours": as_pixels(images), "neighbour_distances": distances.float()}
    return pictured
