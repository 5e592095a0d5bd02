"""The protocols for images: classes and distances through an extractor of genbench's, and the literature's through
Inception, which are skipped where its weights aren't at hand."""

from __future__ import annotations

from genbench.features import VERSIONS, ExtractorName
from genbench.scoring.protocols.base import Protocol

CURVE_N = 2_000


def _protocol(
    name: str, n: int, extractor: ExtractorName, *, manifold: int, classes: bool = False, whole: bool = False
) -> Protocol:
    """A protocol that compares `n` samples with as many reference images, and `manifold` of them by their neighbours.

    `classes` are those that the extractor tells apart; `whole` datasets have a training set of single images.
    """
    through = f"extractor={extractor}"
    seen = VERSIONS[extractor]
    literature = {
        "fid": f"fd[extractor=inception,n={n}]",
        "fid_inf": f"fd_infinity[extractor=inception,n={n}]",
        "kid": _kernel("inception", n),
        "is": f"class_score[extractor=inception,n={n}]",
    }
    of_classes = {
        "modes": f"class_modes[{through},rule=fair]",
        "modes_any": f"class_modes[{through},rule=any]",
        "reverse_kl": f"class_reverse_kl[{through}]",
        "confident": f"confident[{through}]",
        "confidence": f"confidence[{through}]",
        "hq": f"image_hq[{through},n={manifold}]",
        f"is[{seen}]": f"class_score[{through},n={n}]",
    }
    own = {
        f"fd[{seen}]": f"fd[{through},n={n}]",
        f"fd_inf[{seen}]": f"fd_infinity[{through},n={n}]",
        f"kd[{seen}]": _kernel(extractor, n),
    }
    neighbours = {
        metric: f"image_{metric}[{through},n={manifold}]" for metric in ("precision", "recall", "density", "coverage")
    }
    copies = {"train_distance": f"train_distance[n={min(1_000, manifold)}]"} if whole else {}
    columns = {
        **(of_classes if classes else {}),
        **(own if extractor != "inception" else {}),
        **neighbours,
        **copies,
        **literature,
    }
    first = ("modes", "modes_any", "reverse_kl", "confidence", "confident", "hq") if classes else ()
    distance = "fid" if extractor == "inception" else f"fd[{seen}]"
    # A curve's samples are too few for the covariance of Inception's features.
    along = "kid" if extractor == "inception" else distance
    return Protocol(
        name=name,
        version=1,
        n=n,
        source="genbench",
        columns=columns,
        headline=(*first, distance, "precision", "recall", "coverage", *copies),
        deciding=("fid", distance) if whole else ("reverse_kl",),
        curve=(*(first[:4]), along, "coverage"),
        curve_n=min(n, CURVE_N),
    )


def _kernel(extractor: ExtractorName, n: int) -> str:
    return f"kd[extractor={extractor},n={n},size={min(1_000, n // 2)}]"


MNIST1 = _protocol("mnist1", 10_000, "mnist-cnn", manifold=5_000, classes=True, whole=True)
MNIST_SMOKE = _protocol("mnist-smoke", 500, "mnist-cnn", manifold=200, classes=True, whole=True)
STACKED_MNIST1 = _protocol("stacked-mnist1", 26_000, "mnist-cnn", manifold=5_000, classes=True)
STACKED_MNIST_SMOKE = _protocol("stacked-mnist-smoke", 500, "mnist-cnn", manifold=200, classes=True)
CELEBA1 = _protocol("celeba1", 10_000, "celeba-cnn", manifold=5_000, whole=True)
CELEBA1_SMALL = _protocol("celeba1-small", 2_000, "celeba-cnn", manifold=2_000, whole=True)
"""celeba1 for a CelebA of a few thousand images: distances of 2 000 samples, never comparable with those of 10 000."""

CELEBA_SMOKE = _protocol("celeba-smoke", 300, "celeba-cnn", manifold=200, whole=True)
IMAGES1 = _protocol("images1", 10_000, "inception", manifold=5_000, whole=True)
IMAGES1_SMALL = _protocol("images1-small", 2_500, "inception", manifold=2_000, whole=True)
