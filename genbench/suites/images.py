"""Suites of images, with networks that a processor can train and, as presets for a GPU, at the literature's sizes."""

from __future__ import annotations

from collections.abc import Mapping

from genbench.registry import suites
from genbench.spec import Budget, Suite
from genbench.suites.smoke import smoke
from genbench.suites.toys import FAMILIES, TRAINERS

suite = suites.register

SMALL = tuple(f"{trainer}[recipe=small-images]" for trainer in TRAINERS)
SMOKE = tuple(f"{trainer}[batch=16,recipe=small-images,width=4]" for trainer in TRAINERS)
SEED = ("gan[recipe=seed2020]", "wgan-gp[recipe=seed2020]")
OF_IMAGES = {"ddpm": "lr=0.002,", "flow-matching": "lr=0.002,steps=25,"}
"""What diffusion and flow matching have on images: their defaults are of the plane, where a sample costs little."""

EPOCHS = 20
"""Of the seed document."""


@suite("mnist")
def mnist() -> Suite:
    """Ten digits at 32 × 32 with networks that a processor can train: GAN, WGAN and WGAN-GP, five seeds each.

    5 000 generator steps for everyone.
    """
    return Suite(
        name="mnist",
        version=1,
        datasets=("mnist",),
        trainers=SMALL,
        seeds=(0, 1, 2, 3, 4),
        budgets=(Budget(kind="steps", amount=5_000),),
        protocols=("mnist1",),
        checkpoints=8,
        control_draws=3,
    )


@suite("mnist-smoke")
def mnist_smoke() -> Suite:
    """mnist with 30 generator steps, tiny networks and few samples: does everything run? Its numbers mean nothing."""
    return smoke(mnist(), SMOKE, "mnist-smoke")


@suite("mnist-paper")
def mnist_paper() -> Suite:
    """The seed document's MNIST at its sizes, 64 × 64 and 20 epochs, for a GPU: GAN and WGAN-GP, five seeds each."""
    return _paper(mnist(), "mnist[size=64]", "mnist1", EPOCHS * 50_000)


@suite("fashion-mnist")
def fashion_mnist() -> Suite:
    """Ten kinds of clothes at 32 × 32 with networks that a processor can train: GAN, WGAN and WGAN-GP, five seeds."""
    changes = {"name": "fashion-mnist", "datasets": ("fashion-mnist",), "protocols": ("fashion-mnist1",)}
    return mnist().model_copy(update=changes)


@suite("fashion-mnist-smoke")
def fashion_mnist_smoke() -> Suite:
    """fashion-mnist with 30 generator steps, tiny networks and few samples: its numbers mean nothing."""
    return smoke(fashion_mnist(), SMOKE, "fashion-mnist-smoke")


@suite("stacked-mnist")
def stacked_mnist() -> Suite:
    """A thousand modes, three digits in three channels, with networks that a processor can train."""
    changes = {"name": "stacked-mnist", "datasets": ("stacked-mnist",), "protocols": ("stacked-mnist1",)}
    return mnist().model_copy(update=changes)


@suite("stacked-mnist-smoke")
def stacked_mnist_smoke() -> Suite:
    """stacked-mnist with 30 generator steps, tiny networks and few samples: its numbers mean nothing."""
    return smoke(stacked_mnist(), SMOKE, "stacked-mnist-smoke")


@suite("stacked-mnist-paper")
def stacked_mnist_paper() -> Suite:
    """Stacked MNIST with the seed document's networks and 20 epochs of a million stacks, for a GPU."""
    return _paper(stacked_mnist(), "stacked-mnist[size=64]", "stacked-mnist1", EPOCHS * 50_000)


@suite("celeba")
def celeba() -> Suite:
    """Faces at 32 × 32 with networks that a processor can train: GAN, WGAN and WGAN-GP, five seeds each.

    2 000 samples are scored, so that a few thousand faces are enough.
    """
    changes = {"name": "celeba", "datasets": ("celeba[size=32]",), "protocols": ("celeba1-small",)}
    return mnist().model_copy(update=changes)


@suite("celeba-smoke")
def celeba_smoke() -> Suite:
    """celeba with 30 generator steps, tiny networks and few samples: does everything run? Its numbers mean nothing."""
    return smoke(celeba(), SMOKE, "celeba-smoke")


@suite("celeba-paper")
def celeba_paper() -> Suite:
    """The seed document's CelebA at its sizes, 64 × 64 and 20 epochs of 162 770 faces, for a GPU."""
    return _paper(celeba(), "celeba", "celeba1", EPOCHS * 162_770).model_copy(
        update={"protocols": ("celeba1", "celeba1-small")}
    )


@suite("families-mnist")
def families_mnist() -> Suite:
    """One method of each family on digits at 16 × 16, all with fully connected networks of 256 units.

    Samples and, where a method gives it, the likelihood of held-out digits in bits per dimension.
    """
    trainers = _families(256, {"wgan-gp": "latent=10,", "vae": "latent=10,lr=0.002,", "nsf": "bins=8,", **OF_IMAGES})
    changes = {"name": "families-mnist", "datasets": ("mnist[size=16]",), "trainers": trainers}
    return mnist().model_copy(update=changes)


@suite("families-mnist-smoke")
def families_mnist_smoke() -> Suite:
    """families-mnist with 30 generator steps, tiny networks and few samples: its numbers mean nothing."""
    return smoke(families_mnist(), tuple(f"{name}[batch=16,width=8]" for name in FAMILIES), "mnist-smoke")


@suite("flow-digits")
def flow_digits() -> Suite:
    """One method of each family on digits of 8 × 8 pixels whose density is known, with networks of 128 units.

    Every method's samples have a cross-entropy under the truth, and `nll_gap` says by how many nats a likelihood falls
    short of it. 2 000 generator steps for everyone. The latents of `wgan-gp` are as many as pixels, or it would have no
    density at all. Pixels aren't cut off at black and white, so `ddpm` may foresee them up to 3.
    """
    points = {"wgan-gp": "latent=64,", "vae": "latent=10,", "nsf": "bins=8,", "ddpm": f"clip=3,{OF_IMAGES['ddpm']}"}
    trainers = _families(128, OF_IMAGES | points)
    changes = {
        "name": "flow-digits",
        "datasets": ("flow-digits",),
        "trainers": trainers,
        "budgets": (Budget(kind="steps", amount=2_000),),
        "protocols": ("flow-digits1",),
    }
    return mnist().model_copy(update=changes)


@suite("flow-digits-smoke")
def flow_digits_smoke() -> Suite:
    """flow-digits with 30 generator steps, tiny networks and few samples: its numbers mean nothing."""
    trainers = tuple(f"{name}[batch=16,width=8]" for name in FAMILIES)
    return smoke(flow_digits(), trainers, "flow-digits-smoke")


def _families(width: int, own: Mapping[str, str]) -> tuple[str, ...]:
    """One trainer of each family with networks so wide, and what some have of their own."""
    return tuple(f"{name}[{own.get(name, '')}width={width}]" for name in FAMILIES)


def _paper(whole: Suite, dataset: str, protocol: str, samples: int) -> Suite:
    changes = {
        "name": f"{whole.name}-paper",
        "datasets": (dataset,),
        "trainers": SEED,
        "seeds": (0, 1, 2, 3, 4),
        "budgets": (Budget(kind="samples", amount=samples),),
        "protocols": (protocol,),
        "checkpoints": 12,
        "control_draws": 5,
    }
    return whole.model_copy(update=changes)
