"""Suites of points whose truth is known: who covers a mixture or a curve, and who collapses."""

from __future__ import annotations

from genbench.registry import suites
from genbench.spec import Budget, Suite
from genbench.suites.smoke import smoke

suite = suites.register

TRAINERS = ("gan", "wgan", "wgan-gp")
EVERY = (
    *TRAINERS, "lsgan", "hinge", "sngan", "r1", "rpgan", "dragan", "pacgan", "unrolled", "veegan", "ali",
    "vae", "realnvp", "nsf", "ddpm", "flow-matching",
)  # fmt: skip
FAMILIES = ("wgan-gp", "vae", "nsf", "ddpm", "flow-matching")
TEN = tuple(range(10))


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
    return smoke(toy2d(), TRAINERS, "smoke")


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
    return smoke(toy2d_equal(), TRAINERS, "smoke").model_copy(update={"budgets": budgets})


@suite("toy2d-extended")
def toy2d_extended() -> Suite:
    """Every trainer that comes with genbench on 8, 25 and 100 Gaussians and a Swiss roll, ten seeds each.

    6 000 generator steps for everyone, whose defaults are searched for in results/search/toy2d.md. Steps are not equal
    work: one of `unrolled` costs many of `gan`.
    """
    return toy2d().model_copy(
        update={
            "name": "toy2d-extended",
            "datasets": ("ring8", "grid25", "swissroll", "grid100"),
            "trainers": EVERY,
            "seeds": TEN,
            "protocols": ("genbench1",),
        }
    )


@suite("toy2d-extended-smoke")
def toy2d_extended_smoke() -> Suite:
    """toy2d-extended with 30 generator steps and a tenth of the samples: its numbers mean nothing."""
    return smoke(toy2d_extended(), EVERY, "smoke")


@suite("toy2d-extended-equal")
def toy2d_extended_equal() -> Suite:
    """Every trainer of toy2d-extended at equal network updates, equal real samples and equal train seconds.

    The amounts are those of toy2d-equal, ten seeds each: 2 160 trials, a day on two cores.
    """
    changes = {"name": "toy2d-extended-equal", "datasets": toy2d_extended().datasets, "trainers": EVERY, "seeds": TEN}
    return toy2d_equal().model_copy(update={**changes, "protocols": ("genbench1",)})


@suite("toy2d-extended-equal-smoke")
def toy2d_extended_equal_smoke() -> Suite:
    """toy2d-extended-equal with tiny budgets and a tenth of the samples: its numbers mean nothing."""
    whole = toy2d_extended_equal()
    return smoke(whole, EVERY, "smoke").model_copy(update={"budgets": toy2d_equal_smoke().budgets})


@suite("grid100")
def grid100() -> Suite:
    """A hundred Gaussians, upright, turned, staggered and unequal: who still finds all, and keeps them.

    20 000 generator steps, since many modes take long.
    """
    return toy2d().model_copy(
        update={
            "name": "grid100",
            "datasets": ("grid100", "rotated[side=10]", "staggered[side=10]", "unequal[side=10]"),
            "trainers": (*TRAINERS, "rpgan"),
            "seeds": (0, 1, 2, 3, 4, 5),
            "budgets": (Budget(kind="steps", amount=20_000),),
            "protocols": ("genbench1",),
        }
    )


@suite("grid100-smoke")
def grid100_smoke() -> Suite:
    """grid100 with 30 generator steps and a tenth of the samples: its numbers mean nothing."""
    return smoke(grid100(), (*TRAINERS, "rpgan"), "smoke")


@suite("families")
def families() -> Suite:
    """One method of each family on the toys: adversarial, autoencoder, flow, diffusion and flow matching.

    Samples and, where a method gives it, the likelihood of fresh points, and how far it falls short of the truth's. All
    have networks of 128 units. Digits, which other protocols score, are in families-mnist and flow-digits.
    """
    trainers = tuple(f"{name}[width=128]" for name in FAMILIES)
    return toy2d().model_copy(update={"name": "families", "trainers": trainers, "protocols": ("genbench1",)})


@suite("families-smoke")
def families_smoke() -> Suite:
    """families with 30 generator steps and a tenth of the samples: its numbers mean nothing."""
    return smoke(families(), FAMILIES, "smoke")
