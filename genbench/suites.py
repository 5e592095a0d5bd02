"""The suites that come with genbench: each with a preset that tries whether all works, of images with one for GPUs."""

from __future__ import annotations

from genbench.registry import suites
from genbench.spec import Budget, Suite

suite = suites.register

TRAINERS = ("gan", "wgan", "wgan-gp")
SMALL = tuple(f"{trainer}[recipe=small-images]" for trainer in TRAINERS)
SMOKE = tuple(f"{trainer}[batch=16,recipe=small-images,width=4]" for trainer in TRAINERS)
SEED = ("gan[recipe=seed2020]", "wgan-gp[recipe=seed2020]")
EPOCHS = 20
"""Of the seed document."""


@suite("toy2d")
def toy2d() -> Suite:
    """Mode collapse in the plane: GAN, WGAN and WGAN-GP on 8 and 25 Gaussians and a Swiss roll, five seeds each.

    6 000 generator steps for everyone. The trainers' defaults were chosen by a search with as many tries for each,
    on other seeds: results/search/toy2d.md.
    """
    return Suite(
        name="toy2d",
        version=1,
        datasets=("ring8", "grid25", "swissroll"),
        trainers=TRAINERS,
        seeds=(0, 1, 2, 3, 4),
        budgets=(Budget(kind="steps", amount=6_000),),
        protocols=("genbench1", "pacgan2018", "veegan2017"),
    )


@suite("toy2d-smoke")
def toy2d_smoke() -> Suite:
    """toy2d with 30 generator steps and a tenth of the samples: does everything run? Its numbers mean nothing."""
    return _smoke(toy2d(), TRAINERS, "smoke")


@suite("toy2d-equal")
def toy2d_equal() -> Suite:
    """toy2d at equal network updates, equal real samples and equal train seconds: one ranking for each.

    The learning rate falls over the whole budget, so a trainer that is stopped, or read, before its budget's end is
    judged with its rate still high. Only runs whose budget counts a unit can be ranked at equal amounts of that unit:
    GAN takes two updates and 256 real samples a generator step, WGAN and WGAN-GP three and 512. The amounts are about
    what WGAN and WGAN-GP use in toy2d. Seconds are those of the machine it runs on; give every process a core. There
    are six seeds, since a difference that one of nine tables shows alone could not be told with five.
    """
    return toy2d().model_copy(
        update={
            "name": "toy2d-equal",
            "seeds": (0, 1, 2, 3, 4, 5),
            "budgets": (
                Budget(kind="updates", amount=18_000),
                Budget(kind="samples", amount=3_072_000),
                Budget(kind="seconds", amount=10),
            ),
        }
    )


@suite("toy2d-equal-smoke")
def toy2d_equal_smoke() -> Suite:
    """toy2d-equal with tiny budgets and a tenth of the samples: does everything run? Its numbers mean nothing."""
    budgets = (
        Budget(kind="updates", amount=60),
        Budget(kind="samples", amount=15_360),
        Budget(kind="seconds", amount=0.1),
    )
    return _smoke(toy2d_equal(), TRAINERS, "smoke").model_copy(update={"budgets": budgets})


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
    return _smoke(mnist(), SMOKE, "mnist-smoke")


@suite("mnist-paper")
def mnist_paper() -> Suite:
    """The seed document's MNIST at its sizes, 64 × 64 and 20 epochs, for a GPU: GAN and WGAN-GP, five seeds each."""
    return _paper(mnist(), "mnist[size=64]", "mnist1", EPOCHS * 50_000)


@suite("stacked-mnist")
def stacked_mnist() -> Suite:
    """A thousand modes, three digits in three channels, with networks that a processor can train."""
    changes = {"name": "stacked-mnist", "datasets": ("stacked-mnist",), "protocols": ("stacked-mnist1",)}
    return mnist().model_copy(update=changes)


@suite("stacked-mnist-smoke")
def stacked_mnist_smoke() -> Suite:
    """stacked-mnist with 30 generator steps, tiny networks and few samples: its numbers mean nothing."""
    return _smoke(stacked_mnist(), SMOKE, "stacked-mnist-smoke")


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
    return _smoke(celeba(), SMOKE, "celeba-smoke")


@suite("celeba-paper")
def celeba_paper() -> Suite:
    """The seed document's CelebA at its sizes, 64 × 64 and 20 epochs of 162 770 faces, for a GPU."""
    return _paper(celeba(), "celeba", "celeba1", EPOCHS * 162_770).model_copy(
        update={"protocols": ("celeba1", "celeba1-small")}
    )


def _smoke(whole: Suite, trainers: tuple[str, ...], protocol: str) -> Suite:
    changes = {
        "name": f"{whole.name}-smoke",
        "trainers": trainers,
        "budgets": (Budget(kind="steps", amount=30),),
        "protocols": (protocol,),
        "checkpoints": 3,
        "control_draws": 2,
    }
    return whole.model_copy(update=changes)


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
