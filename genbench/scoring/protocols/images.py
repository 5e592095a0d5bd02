"""The protocols for images: classes and distances through an extractor of genbench's, one through a network for
ImageNet, and the literature's through Inception. The last two are skipped where their weights aren't at hand."""

from __future__ import annotations

from genbench.registry import extractors, protocols
from genbench.scoring.protocols.base import Protocol

protocol = protocols.register

CURVE_N = 2_000
IMAGENET = "efficientnet-lite0"


@protocol("mnist1")
def mnist1() -> Protocol:
    """10 000 digits and as many test images, through mnist-cnn and Inception."""
    return _seen_through("mnist-cnn", 10_000, manifold=5_000, classes=True, whole=True)


@protocol("mnist-smoke")
def mnist_smoke() -> Protocol:
    """mnist1 on 500 samples: quick, for trying things out, and never comparable with it."""
    return _seen_through("mnist-cnn", 500, manifold=200, classes=True, whole=True)


@protocol("fashion-mnist1")
def fashion_mnist1() -> Protocol:
    """mnist1 of clothes: 10 000 of them and as many test images, through fashion-cnn and Inception."""
    return _seen_through("fashion-cnn", 10_000, manifold=5_000, classes=True, whole=True)


@protocol("fashion-mnist-smoke")
def fashion_mnist_smoke() -> Protocol:
    """fashion-mnist1 on 500 samples: quick, for trying things out, and never comparable with it."""
    return _seen_through("fashion-cnn", 500, manifold=200, classes=True, whole=True)


@protocol("stacked-mnist1")
def stacked_mnist1() -> Protocol:
    """26 000 stacks of digits and as many of test images, each digit seen by itself.

    Reverse KL over 1 000 classes decides.
    """
    return _seen_through("mnist-cnn", 26_000, manifold=5_000, classes=True)


@protocol("stacked-mnist-smoke")
def stacked_mnist_smoke() -> Protocol:
    """stacked-mnist1 on 500 samples: quick, for trying things out, and never comparable with it."""
    return _seen_through("mnist-cnn", 500, manifold=200, classes=True)


@protocol("meg2019", citation="arXiv:1901.08508")
def meg2019() -> Protocol:
    """MEG's for stacked MNIST: 26 000 stacks through its classifier; one captures a mode, and the reference is even.

    A perfect sampler of even classes scores 0.0193 (0.0177 to 0.0210). Samples are rounded to 8 bits first, there not.
    """
    return _of_meg(26_000)


@protocol("meg2019-smoke", citation="arXiv:1901.08508")
def meg2019_smoke() -> Protocol:
    """meg2019 on 500 samples: quick, for trying things out, and never comparable with it."""
    return _of_meg(500)


@protocol("celeba1")
def celeba1() -> Protocol:
    """10 000 faces and as many of the test part, through celeba-cnn, EfficientNet-Lite0 and Inception."""
    return _seen_through("celeba-cnn", 10_000, manifold=5_000, whole=True, photographs=True)


@protocol("celeba1-small")
def celeba1_small() -> Protocol:
    """celeba1 for a CelebA of a few thousand images: 2 000 samples, never comparable with those of 10 000."""
    return _seen_through("celeba-cnn", 2_000, manifold=2_000, whole=True, photographs=True)


@protocol("celeba-smoke")
def celeba_smoke() -> Protocol:
    """celeba1 on 300 samples: quick, for trying things out, and never comparable with it."""
    return _seen_through("celeba-cnn", 300, manifold=200, whole=True)


@protocol("images1")
def images1() -> Protocol:
    """10 000 images of your own and as many reference images, through Inception and EfficientNet-Lite0."""
    return _seen_through("inception", 10_000, manifold=5_000, whole=True, photographs=True)


@protocol("images1-small")
def images1_small() -> Protocol:
    """images1 on 2 500 samples, for smaller folders: never comparable with those of 10 000."""
    return _seen_through("inception", 2_500, manifold=2_000, whole=True, photographs=True)


def _of_meg(n: int) -> Protocol:
    through = "extractor=meg-cnn"
    columns = {"modes": f"class_modes[{through},rule=any]", "reverse_kl": f"class_reverse_kl[{through}]"}
    return Protocol(n=n, columns=columns, headline=(*columns,), deciding=("reverse_kl",), curve=(*columns,))


def _seen_through(
    extractor: str, n: int, *, manifold: int, classes: bool = False, whole: bool = False, photographs: bool = False
) -> Protocol:
    """A protocol that compares `n` samples with as many reference images, and `manifold` of them by their neighbours.

    `classes` are those that the extractor tells apart; `whole` datasets have a training set of single images; of
    `photographs` a network for ImageNet has something to say too, which is 1 280 features, and so wants more samples.
    """
    through = f"extractor={extractor}"
    seen = _seen(extractor)
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
    imagenet = {f"fd[{_seen(IMAGENET)}]": f"fd[extractor={IMAGENET},n={n}]"} if photographs else {}
    neighbours = {
        metric: f"image_{metric}[{through},n={manifold}]" for metric in ("precision", "recall", "density", "coverage")
    }
    copies = {"train_distance": f"train_distance[n={min(1_000, manifold)}]"} if whole else {}
    columns = {
        **(of_classes if classes else {}),
        **(own if extractor != "inception" else {}),
        **imagenet,
        **neighbours,
        **copies,
        **literature,
    }
    first = ("modes", "modes_any", "reverse_kl", "confidence", "confident", "hq") if classes else ()
    distance = "fid" if extractor == "inception" else f"fd[{seen}]"
    # A curve's samples are too few for the covariance of Inception's features.
    along = "kid" if extractor == "inception" else distance
    return Protocol(
        n=n,
        columns=columns,
        headline=(*first, distance, *imagenet, "precision", "recall", "coverage", *copies),
        deciding=tuple(dict.fromkeys(("fid", distance, *imagenet))) if whole else ("reverse_kl",),
        curve=(*(first[:4]), along, "coverage"),
        curve_n=min(n, CURVE_N),
    )


def _seen(extractor: str) -> str:
    return f"{extractor}-{extractors[extractor].version}"


def _kernel(extractor: str, n: int) -> str:
    return f"kd[extractor={extractor},n={n},size={min(1_000, n // 2)}]"
