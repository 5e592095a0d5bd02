"""Set-ups of the literature, and genbench's own for images, as parameters of its trainers.

Each has a note: where it comes from, and where it departs from there. Data and length are no part of a recipe: the
papers' rings and grids are `ring8` and `grid25` in another scale, or notes say how they differ, and they say how long
a source trains. Where the source's Adam adds its ε before it corrects the second moment's bias, ours adds it after.
"""

from __future__ import annotations

GAN = {
    "pacgan2018": {
        "loss": "non-saturating", "smoothing": False, "critic_steps": 1,
        "batch": 100, "latent": 2, "networks": "pacgan", "width": 200, "depth": 3,
        "optimizer": "adam", "lr": 1e-4, "beta1": 0.8, "beta2": 0.999, "schedule": "constant",
    },
    "seed2020-toys": {
        "loss": "non-saturating", "smoothing": True, "critic_steps": 1,
        "batch": 256, "latent": 2, "networks": "mlp", "width": 512, "depth": 3,
        "optimizer": "adam", "lr": 2e-4, "beta1": 0.5, "beta2": 0.999, "schedule": "constant",
    },
    "small-images": {
        "batch": 64, "latent": 10, "networks": "dcgan", "width": 16, "depth": 3, "lr": 1e-3, "beta1": 0.5,
    },
}  # fmt: skip
GAN["veegan2017"] = GAN["seed2020-toys"] | {
    "smoothing": False, "batch": 500, "latent": 254, "networks": "veegan", "width": 128, "depth": 2, "lr": 1e-3,
}  # fmt: skip
GAN["metz2017"] = GAN["veegan2017"] | {
    "loss": "minimax", "batch": 512, "latent": 256, "networks": "mlp-orthogonal",
}  # fmt: skip
GAN["seed2020"] = GAN["seed2020-toys"] | {
    "batch": 128, "latent": 10, "networks": "dcgan", "width": 128, "depth": 4,
}  # fmt: skip

WGAN = {
    "gulrajani2017": {
        "clip": 0.01, "critic_steps": 5, "batch": 256, "latent": 2, "networks": "mlp-he", "width": 512, "depth": 3,
        "optimizer": "rmsprop", "lr": 5e-5, "beta1": 0.0, "beta2": 0.9, "schedule": "constant",
    },
    "small-images": {
        "clip": 0.05, "batch": 64, "latent": 10, "networks": "dcgan", "width": 16, "depth": 3, "lr": 5e-4,
    },
}  # fmt: skip

WGAN_GP = {
    "gulrajani2017": {
        "penalty": 0.1, "critic_steps": 5, "batch": 256, "latent": 2, "networks": "mlp-he", "width": 512, "depth": 3,
        "optimizer": "adam", "lr": 1e-4, "beta1": 0.5, "beta2": 0.9, "schedule": "constant",
    },
    "small-images": {
        "penalty": 1.0, "batch": 64, "latent": 10, "networks": "dcgan-gp", "width": 16, "depth": 3, "lr": 2e-3,
    },
}  # fmt: skip
WGAN_GP["meg2019"] = WGAN_GP["gulrajani2017"] | {
    "penalty": 10.0, "batch": 64, "latent": 128, "networks": "meg", "width": 64, "depth": 4,
}  # fmt: skip
WGAN_GP["seed2020-toys"] = WGAN_GP["gulrajani2017"] | {"networks": "mlp", "lr": 2e-4, "beta2": 0.999}
WGAN_GP["seed2020"] = WGAN_GP["seed2020-toys"] | {
    "penalty": 10.0, "batch": 128, "latent": 10, "networks": "dcgan-gp", "width": 128, "depth": 4,
}  # fmt: skip

PACGAN = {"pacgan2018": {key: value for key, value in GAN["pacgan2018"].items() if key not in ("loss", "smoothing")}}

UNROLLED = {
    "metz2017": {
        "steps": 5, "critic_steps": 1, "batch": 512, "latent": 256, "networks": "mlp-orthogonal", "width": 128,
        "depth": 2, "optimizer": "adam", "lr": 1e-3, "slower": 0.1, "beta1": 0.5, "beta2": 0.999,
        "schedule": "constant",
    },
}  # fmt: skip

VEEGAN = {
    "veegan2017": {
        "reconstruction": 1.0, "critic_steps": 1, "batch": 500, "latent": 254, "networks": "veegan", "width": 128,
        "depth": 2, "optimizer": "adam", "lr": 1e-3, "beta1": 0.5, "beta2": 0.999, "schedule": "constant",
    },
}  # fmt: skip

_TOYS = "the toys of arXiv:1704.00028, github.com/igul222/improved_wgan_training, gan_toy.py; 100 000 steps there"
_GRID = "of the grid every point is fresh, there they come from 100 000 that were drawn once"
_SEED = "the write-up that genbench grew from, which isn't published, so this can't be checked"
_CHOSEN = "what it leaves open is genbench's choice: Adam's second decay, a constant rate, "
_CLASSIC = "torch's default weights, where the code of arXiv:1704.00028 has He's"
_DCGANS = "DCGAN's weights N(0, 0.02²), and He's for a critic without batch normalisation"
_SMALL = (
    "Source: genbench's own, for images on a processor, after arXiv:1511.06434. Departs: 16 channels and three stages, "
    "normal noise of ten dimensions, and this trainer's own optimiser and rate."
)
_IN_TURN = "the networks learn in turn, each from a batch of its own, there at once from one"
_PACGAN = (
    f"arXiv:1712.04086 and github.com/fjxmlzn/PacGAN; 400 000 steps there. Departs: {_IN_TURN}; so the running "
    "statistics of batch normalisation move twice a step, and they are of variances, there of standard deviations; "
    "every point is fresh, there they come from 100 000 that were drawn once, of a ring of radius 1 and a grid of "
    "spacing 2, here √2 and √½."
)
_VEEGAN = "the ring of arXiv:1705.07761, github.com/akashgit/VEEGAN; 100 epochs of 1 000 steps there"
_VEEGANS = (
    f"{_IN_TURN}; there the noise has a dimension more that nobody reconstructs, the ring a radius of 80 stds, and all "
    "data are 2.8 times as large"
)
_METZ = (
    "the ring of github.com/poolio/unrolled_gan, beside arXiv:1611.02163, whose own set-up it says is another; 25 000 "
    "steps there"
)
_METZS = "there one of the ring's eight places counts twice"

GAN_NOTES = {
    "pacgan2018": f"Source: the GAN beside PacGAN's toys, {_PACGAN}",
    "veegan2017": (
        f"Source: the networks and the optimiser of VEEGAN on {_VEEGAN}, without its reconstructor: what its GAN was "
        "isn't told. The discriminator sees x alone, and the generator's loss is the non-saturating one, where that of "
        f"VEEGAN takes the logit. Departs: {_VEEGANS}."
    ),
    "metz2017": (
        f"Source: {_METZ}, with no step ahead. Departs: one rate for both networks, there the discriminator's is a "
        f"tenth; {_IN_TURN}; {_METZS}."
    ),
    "seed2020-toys": f"Source: {_SEED}. Departs: {_CHOSEN}and {_CLASSIC}.",
    "small-images": _SMALL,
    "seed2020": f"Source: {_SEED}; 20 epochs there. Departs: {_CHOSEN}and {_DCGANS}.",
}

PACGAN_NOTES = {
    "pacgan2018": (
        f"Source: PacGAN's toys, {_PACGAN} A batch's samples are normalised together, there those of each place in the "
        "packs by themselves."
    ),
}

UNROLLED_NOTES = {
    "metz2017": (
        f"Source: {_METZ}. Departs: {_IN_TURN}, so that the first of the K steps ahead is the discriminator's own next "
        f"one; {_METZS}."
    ),
}

VEEGAN_NOTES = {
    "veegan2017": f"Source: {_VEEGAN}. Departs: {_VEEGANS}.",
}

WGAN_NOTES = {
    "gulrajani2017": (
        f"Source: {_TOYS}. Departs: RMSProp adds 1e-8 to the root and its average starts from zero, there 1e-10 within "
        f"the root, and from one; {_GRID}."
    ),
    "small-images": _SMALL,
}

WGAN_GP_NOTES = {
    "meg2019": (
        "Source: the WGAN-GP beside MEG's stacked MNIST, arXiv:1901.08508 and "
        "github.com/ritheshkumar95/energy_based_generative_models; 100 000 steps there, and its width of 512 is that "
        "of the stage farthest from the image. Departs: the penalty is that of arXiv:1704.00028, of an image's whole "
        "slope with one mix an image, in that code of each pixel's slope with a mix for each number; the critic learns "
        "before the generator, there after it."
    ),
    "gulrajani2017": (
        f"Source: {_TOYS}. Departs: Adam adds its 1e-8 to the root of the second moment with its bias corrected, there "
        f"before that; {_GRID}."
    ),
    "small-images": _SMALL,
    "seed2020-toys": f"Source: {_SEED}. Departs: {_CHOSEN}and {_CLASSIC}.",
    "seed2020": f"Source: {_SEED}; 20 epochs there. Departs: {_CHOSEN}and {_DCGANS}.",
}
