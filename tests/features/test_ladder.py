"""The ladder: what makes images worse, more and more of it, moves the Fréchet distance up, step by step.

Each shipped extractor climbs on its own dataset: held-out images, damaged, are compared with the reference part.

- *blur* and *noise* take away detail, and add what no image has.
- *dropped*: whole modes are missing, digits by class and faces by attribute. The images left are real ones.
- *quarters*: a share of the images have each of their quarters from another image. Every part is real, and no whole is.
- *classes*: a share of the images is drawn from shuffled class frequencies, where each digit is 1.5 times as frequent
  as the one before. An extractor sees no labels, so shuffling labels alone would mean nothing.
- *colours*: a share of the faces have red, green and blue shuffled.
- *copies*: a share of the stacked digits repeat the first in every channel. Each channel by itself stays true to life.
"""

from typing import NamedTuple

import pytest
import torch
from torch import Tensor
from torchvision.transforms.functional import gaussian_blur

from genbench.features import Extractor, extractor
from genbench.metrics.frechet import Moments, fitted, frechet_distance
from genbench.registry import datasets

pytestmark = pytest.mark.usefixtures("needs_data")

SHARES = (0, 0.1, 0.25, 0.5, 1)
DETAIL = (0, 0.5, 1, 1.5, 2, 3)
NOISE = (0, 0.05, 0.1, 0.2, 0.4, 0.8)
RARE_TO_COMMON = ("Wearing_Hat", "Eyeglasses", "Blond_Hair", "Bangs", "Male")
LEFT = 400
"""So many held-out faces have none of these."""


class Rung(NamedTuple):
    """What a ladder damages: held-out images in random order, `tells` `(n, modes)` of which modes each has."""

    extractor: Extractor
    reference: Moments
    images: Tensor
    tells: Tensor


def stream():
    return torch.Generator().manual_seed(0)


def shuffled(n):
    return torch.randperm(n, generator=stream())


@pytest.fixture(scope="module")
def digits():
    mnist, look = datasets.build("mnist"), extractor("mnist-cnn")
    order = shuffled(len(mnist.held_out))[:8000]
    tells = torch.nn.functional.one_hot(mnist.held_out.labels[order], 10).bool()
    reference = mnist.reference.distinct(4000, stream())
    return Rung(look, fitted(look(reference).features), mnist.held_out.at(order), tells)


@pytest.fixture(scope="module")
def faces():
    from genbench.datasets.faces import attributes

    celeba, look, told = datasets.build("celeba"), extractor("celeba-cnn"), attributes()
    order = shuffled(len(celeba.held_out))
    tells = torch.from_numpy(told.held_out)[order][:, [told.names.index(name) for name in RARE_TO_COMMON]]
    everyone = celeba.reference.at(torch.arange(len(celeba.reference)))
    return Rung(look, fitted(look(everyone).features), celeba.held_out.at(order), tells)


@pytest.fixture(params=["digits", "faces"])
def rung(request):
    return request.getfixturevalue(request.param)


def climbs(extractor, reference, steps):
    found = [frechet_distance(fitted(extractor(images).features), reference).item() for images in steps]
    return found, found == sorted(found) and found[-1] > 10 * found[0]


def first(images, share):
    """Which images a share of all takes, as a column: the same and more of them for a larger share."""
    return (torch.arange(len(images)) < share * len(images))[:, None, None, None]


def test_blur(rung):
    images = rung.images[:1000]
    steps = [gaussian_blur(images, [13, 13], [width, width]) if width else images for width in DETAIL]
    found, climbed = climbs(rung.extractor, rung.reference, steps)
    assert climbed, found


def test_noise(rung):
    images = rung.images[:1000]
    noise = torch.randn(images.shape, generator=stream())
    found, climbed = climbs(rung.extractor, rung.reference, [(images + std * noise).clamp(-1, 1) for std in NOISE])
    assert climbed, found


@pytest.mark.parametrize(("name", "n"), [("digits", 1000), ("faces", LEFT)])
def test_dropped(name, n, request):
    rung = request.getfixturevalue(name)
    dropped = range(min(8, rung.tells.shape[1] + 1))
    steps = [rung.images[~rung.tells[:, :modes].any(1)][:n] for modes in dropped]
    assert all(len(step) == n for step in steps)
    found, climbed = climbs(rung.extractor, rung.reference, steps)
    assert climbed, found


def test_quarters(rung):
    images = rung.images[:1000]
    half, mixed = images.shape[2] // 2, images.clone()
    mixed[:, :, :half, half:] = images.roll(1, 0)[:, :, :half, half:]
    mixed[:, :, half:, :half] = images.roll(2, 0)[:, :, half:, :half]
    mixed[:, :, half:, half:] = images.roll(3, 0)[:, :, half:, half:]
    steps = [torch.where(first(images, share), mixed, images) for share in SHARES]
    found, climbed = climbs(rung.extractor, rung.reference, steps)
    assert climbed, found


def test_classes(digits):
    weights = digits.tells.double() @ 1.5 ** torch.arange(10).double()
    images = digits.images[:1000]
    drawn = digits.images[torch.multinomial(weights, 1000, generator=stream())]
    steps = [torch.where(first(images, share), drawn, images) for share in SHARES]
    found, climbed = climbs(digits.extractor, digits.reference, steps)
    assert climbed, found


def test_colours(faces):
    images = faces.images[:1000]
    steps = [torch.where(first(images, share), images[:, [2, 0, 1]], images) for share in SHARES]
    found, climbed = climbs(faces.extractor, faces.reference, steps)
    assert climbed, found


def test_copies(digits):
    look, stacks = digits.extractor, digits.images[:6000].reshape(-1, 3, *digits.images.shape[2:])
    reference, images = fitted(look(stacks[:1000]).features), stacks[1000:]
    copies = images[:, :1].expand_as(images)
    steps = [torch.where(first(images, share), copies, images) for share in SHARES]
    found, climbed = climbs(look, reference, steps)
    assert climbed, found
