"""The protocols for points: genbench's own, and those of the literature's toys."""

from __future__ import annotations

import re
from dataclasses import replace

from genbench.registry import protocols
from genbench.scoring.protocols.base import Protocol

protocol = protocols.register


@protocol("genbench1")
def genbench1() -> Protocol:
    """genbench's own for points: 10 000 samples; a mode counts with a fifth of its fair share of high-quality ones.

    Reverse KL decides, with a junk bin for the samples beyond 3 stds of every centre.
    """
    return Protocol(
        n=10_000,
        columns={
            "modes": "modes[rule=fair]",
            "modes_any": "modes[rule=any]",
            "hq": "hq",
            "reverse_kl": "reverse_kl[junk=true]",
            "jsd": "jsd",
            "std_ratio": "std_ratio",
            "offset": "offset",
            "arc_coverage": "arc_coverage",
            "curve_distance": "curve_distance",
            "w2": "w2[n=2000]",
            "sliced_w2": "sliced_w2[n=10000]",
            "mmd": "mmd[n=2000]",
            "precision": "precision[n=5000]",
            "recall": "recall[n=5000]",
            "density": "density[n=5000]",
            "coverage": "coverage[n=5000]",
            "cross_entropy": "cross_entropy",
        },
        headline=(
            "modes", "modes_any", "hq", "std_ratio", "offset", "reverse_kl", "arc_coverage", "curve_distance", "w2",
        ),
        deciding=("reverse_kl",),
        curve=("modes", "modes_any", "hq", "reverse_kl", "arc_coverage", "curve_distance", "sliced_w2"),
    )  # fmt: skip


@protocol("gmm40", citation="arXiv:2406.07423")
def gmm40() -> Protocol:
    """For mixtures in any number of dimensions: 2 000 samples, and no ball around a centre.

    The entropy of the modes' shares is the sampling literature's; sliced W2 decides, which sees spread as well.
    """
    return Protocol(
        n=2_000,
        columns={
            "mode_entropy": "mode_entropy",
            "sliced_w2": "sliced_w2[n=2000]",
            "w2": "w2[n=2000]",
            "mmd": "mmd[n=2000]",
            "cross_entropy": "cross_entropy",
        },
        headline=("mode_entropy", "sliced_w2", "w2"),
        deciding=("sliced_w2",),
        curve=("mode_entropy", "sliced_w2"),
    )


@protocol("flow-digits1")
def flow_digits1() -> Protocol:
    """For digits whose density is known: 10 000 samples, compared with fresh ones and judged by the truth's density.

    MMD decides: in 64 dimensions its kernel of bandwidth 1 sees who lies among real samples, where sliced W2 hardly
    tells a Gaussian of the right moments from good digits; but it knows no degrees among those who are nowhere near.
    W2 is left out, since the least distance to finitely many samples there is that of a shrunken truth. `nll_gap`
    stands beside the columns for trainers that say their likelihood.
    """
    return Protocol(
        n=10_000,
        columns={
            "mmd": "mmd[n=2000]",
            "sliced_w2": "sliced_w2[n=10000]",
            "cross_entropy": "cross_entropy",
            "precision": "precision[n=2000]",
            "recall": "recall[n=2000]",
            "density": "density[n=2000]",
            "coverage": "coverage[n=2000]",
        },
        headline=("mmd", "sliced_w2", "cross_entropy", "precision", "recall", "coverage"),
        deciding=("mmd",),
        curve=("mmd", "sliced_w2", "cross_entropy"),
        curve_n=2_000,
    )


@protocol("flow-digits-smoke")
def flow_digits_smoke() -> Protocol:
    """flow-digits1 on a tenth of the samples: quick, for trying things out, and never comparable with it."""
    return _few(flow_digits1())


@protocol("pacgan2018", citation="arXiv:1712.04086")
def pacgan2018() -> Protocol:
    """PacGAN's for its toys: 2 500 samples; a mode counts with one high-quality sample, and reverse KL is over those.

    Under it uniform noise captures most modes of a grid.
    """
    return _of_papers()


@protocol("veegan2017", citation="arXiv:1705.07761")
def veegan2017() -> Protocol:
    """VEEGAN's for its toys: 2 500 samples, and a mode counts with one high-quality sample.

    Reverse KL over those, which decides, is PacGAN's: VEEGAN's paper has none of its toys. So it scores as pacgan2018
    does, and stands apart for the numbers that are published under it.
    """
    return _of_papers()


@protocol("smoke")
def smoke() -> Protocol:
    """genbench1 on a tenth of the samples: quick, for trying things out, and never comparable with it."""
    return _few(genbench1())


def _few(whole: Protocol) -> Protocol:
    few = {name: re.sub(r"n=\d+", "n=500", reference) for name, reference in whole.columns.items()}
    return replace(whole, n=1_000, curve_n=None, columns=few)


def _of_papers() -> Protocol:
    return Protocol(
        n=2_500,
        columns={"modes": "modes[rule=any]", "hq": "hq", "reverse_kl": "reverse_kl[junk=false]"},
        headline=("modes", "hq", "reverse_kl"),
        deciding=("reverse_kl",),
        curve=("modes", "hq"),
    )
