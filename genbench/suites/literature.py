"""Tables of the literature, run again: its networks, recipes and ways of scoring.

Where a paper trains longer than two cores can repay, the suite trains a stated fraction of that, which is no
reproduction; the preset that ends in -paper trains as long as the paper does.
"""

from __future__ import annotations

from genbench.registry import suites
from genbench.spec import Budget, Suite
from genbench.suites.smoke import smoke
from genbench.suites.toys import TEN, toy2d

suite = suites.register

STEPS = 4_000
"""Of generators, where a paper's own steps are beyond two cores."""

PACGAN = (
    "gan[recipe=pacgan2018]",
    "pacgan[recipe=pacgan2018]",
    "pacgan[pack=3,recipe=pacgan2018]",
    "pacgan[pack=4,recipe=pacgan2018]",
)
VEEGAN = ("gan[recipe=veegan2017]", "unrolled[recipe=metz2017]", "veegan[recipe=veegan2017]")
OTHERWISE = ("gan[networks=mlp,recipe=veegan2017]", "veegan[networks=mlp,recipe=veegan2017]")
"""The same with torch's first weights and as many layers in the discriminator as in the generator."""

CROSSED = (
    "gan[recipe=pacgan2018]",
    "gan[batch=500,beta1=0.5,lr=0.001,recipe=pacgan2018]",
    "gan[batch=100,beta1=0.8,lr=0.0001,recipe=veegan2017]",
    "gan[recipe=veegan2017]",
    "gan[batch=100,beta1=0.8,latent=254,loss=non-saturating,lr=0.0001,recipe=metz2017]",
    "gan[batch=500,latent=254,loss=non-saturating,recipe=metz2017]",
)
ABLATION = tuple(
    f"rpgan[{','.join([*penalties, *pairing])}]".removesuffix("[]")
    for pairing in (["relativistic=false"], [])
    for penalties in (["r1=0", "r2=0"], ["r2=0"], [])
)


@suite("pacgan2018-table1")
def pacgan_table() -> Suite:
    """Table 1 of PacGAN: its GAN and two, three and four packed samples, on its ring and grid, ten seeds each.

    4 000 generator steps, a hundredth of the paper's 400 000.
    """
    return _toys("pacgan2018-table1", PACGAN, STEPS, "pacgan2018")


@suite("pacgan2018-table1-paper")
def pacgan_table_paper() -> Suite:
    """pacgan2018-table1 at the paper's 400 000 generator steps, for a GPU or a week."""
    return _toys("pacgan2018-table1-paper", PACGAN, 400_000, "pacgan2018")


@suite("pacgan2018-table1-smoke")
def pacgan_table_smoke() -> Suite:
    """pacgan2018-table1 with 30 generator steps and small networks: its numbers mean nothing."""
    few = tuple(reference.replace("]", ",width=8]") for reference in PACGAN)
    return smoke(pacgan_table(), few, "smoke")


@suite("veegan2017-table1")
def veegan_table() -> Suite:
    """Table 1 of VEEGAN: a GAN, the unrolled GAN and VEEGAN on a ring and a grid, ten seeds each.

    4 000 generator steps, a 25th of what VEEGAN's code trains and a sixth of the unrolled GAN's. Its ring has a radius
    of 80 stds, `ring8` one of 100. ALI, whose set-up there isn't told, is in toy2d-extended. GAN and VEEGAN are trained
    a second time with networks that differ in their first weights and in one layer, to tell what that decides.
    """
    return _toys("veegan2017-table1", (*VEEGAN, *OTHERWISE), STEPS, "veegan2017")


@suite("veegan2017-table1-paper")
def veegan_table_paper() -> Suite:
    """veegan2017-table1 at the 100 000 generator steps of VEEGAN's code, for a GPU or a week."""
    return _toys("veegan2017-table1-paper", VEEGAN, 100_000, "veegan2017")


@suite("veegan2017-table1-smoke")
def veegan_table_smoke() -> Suite:
    """veegan2017-table1 with 30 generator steps and small networks: its numbers mean nothing."""
    few = tuple(reference.replace("]", ",width=8]") for reference in VEEGAN)
    return smoke(veegan_table(), few, "smoke")


@suite("gan-crossed")
def gan_crossed() -> Suite:
    """Why two papers' rows for a GAN differ: PacGAN's, VEEGAN's and the unrolled GAN's networks, crossed with recipes.

    The recipes are PacGAN's and VEEGAN's batch and Adam, and all is scored under both papers' protocols and
    genbench's. 4 000 generator steps of each, ten seeds.
    """
    plan = _toys("gan-crossed", CROSSED, STEPS, "veegan2017")
    return plan.model_copy(update={"protocols": ("veegan2017", "pacgan2018", "genbench1")})


@suite("gan-crossed-smoke")
def gan_crossed_smoke() -> Suite:
    """gan-crossed with 30 generator steps and small networks: its numbers mean nothing."""
    few = tuple(reference.replace("]", ",width=8]") for reference in CROSSED)
    return smoke(gan_crossed(), few, "smoke")


@suite("rpgan-ablation")
def rpgan_ablation() -> Suite:
    """GAN and RpGAN with no penalty, R1, and R1 and R2, on 25 and 100 Gaussians, ten seeds each.

    Does R1 alone fail, as arXiv:2501.05441 has it? 6 000 generator steps of the defaults of `rpgan`.
    """
    plan = _toys("rpgan-ablation", ABLATION, 6_000, "genbench1")
    return plan.model_copy(update={"datasets": ("grid25", "grid100")})


@suite("rpgan-ablation-smoke")
def rpgan_ablation_smoke() -> Suite:
    """rpgan-ablation with 30 generator steps and a tenth of the samples: its numbers mean nothing."""
    return smoke(rpgan_ablation(), ABLATION, "smoke")


@suite("stacked-mnist-meg")
def stacked_mnist_meg() -> Suite:
    """The WGAN-GP beside MEG on its fixed stacks, through its classifier, with networks an eighth as wide, three seeds.

    2 000 generator steps, a fiftieth of the 100 000 of its code, at ten times its learning rate, with which digits come
    within them: so this is no reproduction.
    """
    return Suite(
        name="stacked-mnist-meg",
        version=1,
        datasets=("stacked-mnist-fixed",),
        trainers=("wgan-gp[lr=0.001,recipe=meg2019,width=8]",),
        seeds=(0, 1, 2),
        budgets=(Budget(kind="steps", amount=2_000),),
        protocols=("meg2019",),
        checkpoints=8,
        control_draws=3,
    )


@suite("stacked-mnist-meg-paper")
def stacked_mnist_meg_paper() -> Suite:
    """stacked-mnist-meg with networks, rate and 100 000 generator steps as in MEG's code, for a GPU, five seeds."""
    changes = {
        "name": "stacked-mnist-meg-paper",
        "trainers": ("wgan-gp[recipe=meg2019]",),
        "seeds": (0, 1, 2, 3, 4),
        "budgets": (Budget(kind="steps", amount=100_000),),
        "checkpoints": 12,
        "control_draws": 5,
    }
    return stacked_mnist_meg().model_copy(update=changes)


@suite("stacked-mnist-meg-smoke")
def stacked_mnist_meg_smoke() -> Suite:
    """stacked-mnist-meg with 30 generator steps, tiny networks and few samples: its numbers mean nothing."""
    return smoke(stacked_mnist_meg(), ("wgan-gp[batch=16,recipe=meg2019,width=2]",), "meg2019-smoke")


def _toys(name: str, trainers: tuple[str, ...], steps: int, protocol: str) -> Suite:
    """A paper's trainers on ring8 and grid25, ten seeds each, under its way of scoring and genbench's."""
    return toy2d().model_copy(
        update={
            "name": name,
            "datasets": ("ring8", "grid25"),
            "trainers": trainers,
            "seeds": TEN,
            "budgets": (Budget(kind="steps", amount=steps),),
            "protocols": tuple(dict.fromkeys((protocol, "genbench1"))),
        }
    )
