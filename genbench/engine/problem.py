"""What a method is told of the problem it is to solve: never test data, metrics or time."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING

from genbench import networks, seeding
from genbench.engine.draws import Noise, Uniform
from genbench.errors import GenbenchError

if TYPE_CHECKING:
    import torch
    from torch import Tensor
    from torch.nn import Module

    from genbench.engine.method import Batch


class Problem:
    """The event's shape, the number of classes, the device, default networks and random streams of a trial.

    Args:
        event_shape: the shape of one sample, `(2,)` for points in the plane.
        seed: the trial's seed, from which every stream is derived.
        device: where networks, data and noise live.
        classes: how many classes the samples have; 0 without any.
    """

    def __init__(
        self, event_shape: tuple[int, ...], seed: int, device: torch.device | str = "cpu", classes: int = 0
    ) -> None:
        self.event_shape, self.classes = event_shape, classes
        self.device = device
        self._seed = seed
        self._built: Counter[str] = Counter()
        self.streams: dict[str, torch.Generator] = {}

    @property
    def size(self) -> int:
        """How many numbers a sample is."""
        return math.prod(self.event_shape)

    @property
    def number_shape(self) -> tuple[int, ...]:
        """The shape of one number a sample, ready for arithmetic with samples: all of it ones."""
        return (1,) * len(self.event_shape)

    @property
    def dequantising(self) -> dict[str, Noise]:
        """What a phase draws beside `real` samples to learn a density: of images, where in a grey level each pixel is.

        Uniform noise of a grey level's width keeps a density of 256 levels from growing without end at them: Theis, van
        den Oord and Bethge, 2016, arXiv:1511.01844, section 3.1. Held-out images carry it too. Of points nothing.
        """
        return {"within": Uniform(-0.5, 0.5, self.event_shape)} if len(self.event_shape) == 3 else {}

    def dequantised(self, batch: Batch) -> Tensor:
        """The batch's `real` samples with the noise that `dequantising` draws, if the phase drew any."""
        from genbench.datasets.images import HALF_RANGE

        real: Tensor = batch.real
        return real + batch.within / HALF_RANGE if "within" in vars(batch) else real

    def generator(
        self,
        pair: str,
        *,
        latent: int,
        width: int,
        depth: int,
        role: str = "generator",
        event: tuple[int, ...] | None = None,
    ) -> Module:
        """The generator of a named pair of networks, `(batch, latent)` to `(batch, *event)`, freshly initialised.

        The event is a sample unless another shape is given, as an encoder's is.
        """
        build, shape = networks.pair(pair).generator, event or self.event_shape
        return self.initialised(role, lambda rng: build(latent, shape, width, depth, rng))

    def critic(
        self,
        pair: str,
        *,
        width: int,
        depth: int,
        role: str = "critic",
        event: tuple[int, ...] | None = None,
        pack: int = 1,
        spectral: bool = False,
    ) -> Module:
        """The critic (or discriminator) of a named pair, `(batch, *event)` to `(batch, 1)`, freshly initialised.

        The event is a sample unless another shape is given, as that of a sample and its noise is. With `pack` it sees
        so many side by side in their first dimension, `(batch, pack · event[0], …)`. With `spectral` each layer's
        weights are divided by their largest singular value, as one step of the power iteration a pass finds it
        (arXiv:1802.05957).
        """
        build = networks.pair(pair).critic
        first, *rest = event or self.event_shape
        shape = (pack * first, *rest)

        def built(rng: torch.Generator) -> Module:
            made: Module = build(shape, width, depth, rng)
            return networks.spectrally_normalised(made) if spectral else made

        return self.initialised(role, built)

    def mlp(self, role: str, inputs: int, outputs: int, *, width: int, depth: int) -> Module:
        """A network of fully connected layers with ReLU between them, `(batch, inputs)` to `(batch, outputs)`."""
        from genbench.networks.mlp import layered

        return self.initialised(role, lambda rng: layered(inputs, outputs, width, depth, rng))

    def denoiser(self, *, width: int, depth: int, role: str = "denoiser") -> Module:
        """A network of a sample and a time in [0, 1], `(batch, *event)` and `(batch, 1)` to `(batch, *event)`."""
        from genbench.networks.denoiser import Denoiser

        return self.initialised(role, lambda rng: Denoiser(self.event_shape, width, depth, rng))

    def flow(self, *, layers: int, width: int, depth: int, bins: int | None = None, role: str = "flow") -> Module:
        """An invertible network, freshly initialised; with splines, as the identity.

        It maps `(batch, *event)` to noise and a log-determinant, `(batch, size + 1)`, and with `inverse=True` noise
        `(batch, size)` to samples. Its couplings are affine, or splines of so many `bins`.
        """
        from genbench.networks import flow

        def built(rng: torch.Generator) -> Module:
            if bins is None:
                return flow.affine(self.event_shape, layers, width, depth, rng)
            return flow.spline(self.event_shape, layers, width, depth, bins, rng)

        return self.initialised(role, built)

    def initialised(self, role: str, build: Callable[[torch.Generator], Module]) -> Module:
        """A network of one's own: `build(rng)` draws its weights from the role's stream or from torch's default.

        At one seed networks of one role and architecture start equal, whatever the method; the second network of a
        role that a method makes has a stream of its own, and so has the third. The global streams are seeded for the
        call, so a module that initialises itself is as reproducible as one that draws from `rng`, and leaves no trace.
        """
        from torch import nn

        from genbench.engine.global_streams import seeded

        self._built[role] += 1
        named = role if self._built[role] == 1 else f"{role}/{self._built[role]}"
        with seeded(seeding.derive(self._seed, f"weights/{named}/default")):
            made: object = build(seeding.stream(self._seed, f"weights/{named}"))
        if not isinstance(made, nn.Module):
            raise GenbenchError(f"The network {role!r} is {made!r}. Let what builds it return a torch.nn.Module.")
        return made.to(self.device)

    def global_streams(self, role: str) -> AbstractContextManager[None]:
        """Within, the process's global streams are the trial's own of that role, from their start."""
        from genbench.engine.global_streams import seeded

        return seeded(seeding.derive(self._seed, role), self.device)

    def stream(self, role: str) -> torch.Generator:
        """The random stream of a role, made at the first call; the engine saves and restores its state."""
        if role not in self.streams:
            self.streams[role] = seeding.stream(self._seed, role, self.device)
        return self.streams[role]


def normal_log_prob(x: Tensor, mean: Tensor | float = 0.0, log_std: Tensor | float = 0.0) -> Tensor:
    """The log density in nats of numbers `(…, d)` that are normal and independent, `(…)`; by default N(0, 1)."""
    scale = math.exp(log_std) if isinstance(log_std, float) else log_std.exp()
    each = 0.5 * ((x - mean) / scale).square() + 0.5 * math.log(2 * math.pi) + log_std
    return -each.sum(-1)


def bernoulli_log_prob(x: Tensor, logits: Tensor) -> Tensor:
    """The log probability in nats of bits `(…, d)` that are independent, `(…)`; of shares, the mean of bits'."""
    from torch.nn.functional import softplus

    each: Tensor = x * logits - softplus(logits)
    return each.sum(-1)


def together(network: Callable[[Tensor], Tensor], *batches: Tensor) -> tuple[Tensor, ...]:
    """The network's outputs for several batches of equal size, one each, in as few passes as give those outputs.

    A network with batch normalisation sees the batches one after the other, since rows that it sees together change
    each other; any other sees them in one pass, which is quicker.
    """
    import torch
    from torch import nn

    module = getattr(network, "module", network)
    normalisations = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d, nn.SyncBatchNorm)
    if isinstance(module, nn.Module) and any(isinstance(layer, normalisations) for layer in module.modules()):
        return tuple(network(batch) for batch in batches)
    return network(torch.cat(batches)).chunk(len(batches))


def input_gradient(network: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
    """∇ₓ network(x), the shape of `x`, itself differentiable by the network's parameters.

    Each row of the output is taken to depend on its own row of `x` alone.
    """
    import torch

    from genbench.engine.activations import FlatActivations

    with FlatActivations():
        if _by_func:
            gradient: Tensor = torch.func.grad(lambda x: network(x).sum())(x)
            return gradient
        if not x.requires_grad:
            x = x.detach().requires_grad_()
        (gradient,) = torch.autograd.grad(network(x).sum(), x, create_graph=True)
        return gradient


def gradient(loss: Callable[[dict[str, Tensor]], Tensor], weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The gradient of `loss(weights)` by each of the weights, by name, itself differentiable."""
    import torch

    if _by_func:
        by_name: dict[str, Tensor] = torch.func.grad(loss)(dict(weights))
        return by_name
    held = {name: w if w.requires_grad else w.detach().requires_grad_() for name, w in weights.items()}
    slopes = torch.autograd.grad(
        loss(held), list(held.values()), create_graph=True, allow_unused=True, materialize_grads=True
    )
    return dict(zip(held, slopes, strict=True))


_by_func = False
"""Whether losses are being differentiated by `torch.func`, which `torch.autograd` can't be mixed with."""


@contextmanager
def by_func() -> Iterator[None]:
    """Within, `input_gradient` differentiates by `torch.func`."""
    global _by_func
    before, _by_func = _by_func, True
    try:
        yield
    finally:
        _by_func = before
