"""Normalizing flows: couplings, each of which moves one half of the numbers by what the other half says.

A flow f maps data to noise of the same size, in steps that are inverted one by one and whose Jacobian is triangular, so
that p(x) = N(f(x); 0, I) · |det ∂f/∂x|. Couplings take turns about which half they move: the last and the first numbers
of a sample, then those at odd and at even places. Of two numbers these halves are the same, so that each coupling moves
the one that the coupling before it kept.
"""

import math
from abc import abstractmethod
from itertools import cycle

import torch
from torch import Generator, Tensor, nn
from torch.nn import functional

from genbench.errors import BadParameter
from genbench.networks.mlp import layered

BOUND = 5.0
"""Beyond this distance from zero, where noise hardly ever is, a spline is the identity."""

SMALLEST = 1e-3
"""The least width and height of a bin, as a share of all, and the least slope at a knot."""


class Coupling(nn.Module):
    """One invertible step of a flow: `kept` says by its conditioner how `moved` moves.

    Args:
        sizes: how many numbers of a sample are kept and are moved.
        width, depth: of the conditioner's hidden layers.
        rng: for its initial weights.
        at_rest: whether its last layer starts at zero, so that a flow starts as the identity.
    """

    per_number: int
    """Outputs of the conditioner for each number that is moved."""

    def __init__(self, sizes: tuple[int, int], width: int, depth: int, rng: Generator, at_rest: bool = True) -> None:
        super().__init__()
        self.conditioner = layered(sizes[0], sizes[1] * self.per_number, width, depth, rng)
        if at_rest:
            last = self.conditioner[-1]
            assert isinstance(last, nn.Linear)
            nn.init.zeros_(last.weight)
            nn.init.zeros_(last.bias)

    def forward(self, kept: Tensor, moved: Tensor, inverse: bool = False) -> tuple[Tensor, Tensor]:
        """`(n, kept)` and `(n, moved)` to what `moved` becomes and the step's log-determinant `(n, 1)`."""
        said: Tensor = self.conditioner(kept).unflatten(1, (moved.shape[1], self.per_number))
        result, log_slope = self.transform(moved, said, inverse)
        return result, log_slope.sum(1, keepdim=True)

    @abstractmethod
    def transform(self, x: Tensor, said: Tensor, inverse: bool) -> tuple[Tensor, Tensor]:
        """Numbers `(n, moved)`, by what the conditioner says, and the log of each one's slope in that direction."""


class Affine(Coupling):
    """x·eˢ + t, with s = a·tanh(s/a) and a learnt: Dinh et al., 2017, arXiv:1605.08803, eq. 7 and section 4.1.

    There it is a·tanh(s): the same functions, and other steps through them.
    """

    per_number = 2

    def __init__(self, sizes: tuple[int, int], width: int, depth: int, rng: Generator, at_rest: bool = True) -> None:
        super().__init__(sizes, width, depth, rng, at_rest)
        self.largest = nn.Parameter(torch.full((sizes[1],), 2.0))

    def transform(self, x: Tensor, said: Tensor, inverse: bool) -> tuple[Tensor, Tensor]:
        s, t = said.unbind(2)
        s = self.largest * (s / self.largest).tanh()
        return ((x - t) * (-s).exp(), -s) if inverse else (x * s.exp() + t, s)


class Spline(Coupling):
    """A monotone rational-quadratic spline in [−5, 5], the identity beyond: Durkan et al., 2019, arXiv:1906.04032."""

    def __init__(self, sizes: tuple[int, int], width: int, depth: int, rng: Generator, bins: int) -> None:
        self.per_number = 3 * bins - 1
        super().__init__(sizes, width, depth, rng)
        self.bins = bins

    def transform(self, x: Tensor, said: Tensor, inverse: bool) -> tuple[Tensor, Tensor]:
        widths, heights, slopes = said.tensor_split([self.bins, 2 * self.bins], dim=2)
        return rational_quadratic(x, widths, heights, slopes, inverse)


def rational_quadratic(
    x: Tensor, widths: Tensor, heights: Tensor, slopes: Tensor, inverse: bool = False
) -> tuple[Tensor, Tensor]:
    """Numbers moved by splines of their own, and the logs of the slopes there, both of the shape of `x`.

    Section 3.1 and appendix A of Durkan et al., 2019, arXiv:1906.04032; the slope at both ends is 1.

    Args:
        x: numbers `(…)`.
        widths, heights: of the bins, `(…, bins)`, as logits of the shares of [−5, 5] that they take.
        slopes: at the inner knots, `(…, bins − 1)`; zero is a slope of one.
        inverse: whether to go from heights to widths.
    """
    lefts, widths = _knots(widths)
    lows, heights = _knots(heights)
    one = math.log(math.expm1(1 - SMALLEST))
    slopes = functional.pad(functional.softplus(slopes + one) + SMALLEST, (1, 1), value=1.0)
    inside = x.abs() < BOUND
    within = torch.where(inside, x, torch.zeros_like(x))[..., None]
    chosen = (within >= (lows if inverse else lefts)[..., 1:]).sum(-1, keepdim=True)

    def here(values: Tensor) -> Tensor:
        return values.gather(-1, chosen)

    left, width, low, height = here(lefts), here(widths), here(lows), here(heights)
    before, after, mean = here(slopes[..., :-1]), here(slopes[..., 1:]), height / width
    bend = before + after - 2 * mean
    if inverse:
        risen = within - low
        a = height * (mean - before) + risen * bend
        b = height * before - risen * bend
        c = -mean * risen
        share = 2 * c / (-b - (b.square() - 4 * a * c).clamp(min=0).sqrt())
    else:
        share = (within - left) / width
    mixed = share * (1 - share)
    base = mean + bend * mixed
    result = left + share * width if inverse else low + height * (mean * share.square() + before * mixed) / base
    slope = mean.square() * (after * share.square() + 2 * mean * mixed + before * (1 - share).square()) / base.square()
    log_slope = -slope.log() if inverse else slope.log()
    outside = torch.zeros_like(x)
    return torch.where(inside, result[..., 0], x), torch.where(inside, log_slope[..., 0], outside)


def _knots(logits: Tensor) -> tuple[Tensor, Tensor]:
    """Where bins begin and how long they are, both `(…, bins)`; together they fill [−5, 5]."""
    bins = logits.shape[-1]
    lengths = 2 * BOUND * (SMALLEST + (1 - SMALLEST * bins) * logits.softmax(-1))
    return functional.pad(lengths.cumsum(-1)[..., :-1], (1, 0)) - BOUND, lengths


class Flow(nn.Module):
    """Samples `(n, *event)` to noise and its log-determinant `(n, size + 1)`; `inverse`, noise to samples."""

    def __init__(self, event_shape: tuple[int, ...], couplings: list[Coupling]) -> None:
        super().__init__()
        self.event_shape, self.size = event_shape, math.prod(event_shape)
        self.couplings = nn.ModuleList(couplings)

    def forward(self, x: Tensor, inverse: bool = False) -> Tensor:
        x = x.flatten(1)
        log_determinant = torch.zeros_like(x[:, :1])
        steps = list(zip(self.couplings, cycle(TURNS), strict=False))
        for coupling, (parted, joined, swapped) in reversed(steps) if inverse else steps:
            first, second = parted(x)
            kept, moved = (second, first) if swapped else (first, second)
            moved, log_slope = coupling(kept, moved, inverse)
            x = joined(moved, kept) if swapped else joined(kept, moved)
            log_determinant = log_determinant + log_slope
        return x.reshape(-1, *self.event_shape) if inverse else torch.cat([x, log_determinant], dim=1)


def affine(event_shape: tuple[int, ...], layers: int, width: int, depth: int, rng: Generator) -> Flow:
    """A flow of affine couplings: RealNVP. It doesn't start as the identity.

    Where a sample's numbers are independent, that is a saddle of the likelihood: no single coupling gains anything by
    moving one number by another.
    """
    return Flow(event_shape, [Affine(sizes, width, depth, rng, False) for sizes in _sizes(event_shape, layers)])


def spline(event_shape: tuple[int, ...], layers: int, width: int, depth: int, bins: int, rng: Generator) -> Flow:
    """A flow of rational-quadratic splines."""
    return Flow(event_shape, [Spline(sizes, width, depth, rng, bins) for sizes in _sizes(event_shape, layers)])


def _halves(x: Tensor) -> tuple[Tensor, Tensor]:
    middle = (x.shape[1] + 1) // 2
    return x[:, :middle], x[:, middle:]


def _joined(first: Tensor, second: Tensor) -> Tensor:
    return torch.cat([first, second], dim=1)


def _alternating(x: Tensor) -> tuple[Tensor, Tensor]:
    return x[:, ::2], x[:, 1::2]


def _interleaved(first: Tensor, second: Tensor) -> Tensor:
    """The inverse of `_alternating`, without indices, which would have to be brought to the device."""
    size = first.shape[1] + second.shape[1]
    second = functional.pad(second, (0, first.shape[1] - second.shape[1]))
    return torch.stack([first, second], dim=2).flatten(1)[:, :size]


TURNS = [
    (parted, joined, swapped)
    for parted, joined in ((_halves, _joined), (_alternating, _interleaved))
    for swapped in (False, True)
]
"""How one coupling after the other divides a sample, and whether it moves the first part."""


def _sizes(event_shape: tuple[int, ...], layers: int) -> list[tuple[int, int]]:
    """How many numbers each coupling keeps and moves; raises BadParameter for samples of a single number."""
    size = math.prod(event_shape)
    if size < 2:
        raise BadParameter("A coupling moves a half of a sample by the other half, and these samples are one number.")
    halves = (size + 1) // 2, size // 2
    return [(halves[1], halves[0]) if i % 2 else halves for i in range(layers)]
