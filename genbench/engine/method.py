"""What a method hands to the engine: its networks and an ordered list of phases. A method is data.

It is checked whole where it is made, so what the engine has no meaning for never trains as something else.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Protocol, get_args, runtime_checkable

from genbench.engine.draws import Draw, Labels, Noise, Real
from genbench.engine.schedule import ScheduleName, schedule
from genbench.errors import GenbenchError, UnknownName

if TYPE_CHECKING:
    import torch
    from torch import Tensor
    from torch.nn import Module, Parameter

    from genbench.datasets.base import DataStream

OptimizerName = Literal["adam", "adamw", "rmsprop", "sgd"]
Params = Mapping[str, "Tensor"]

IDLE: Mapping[str, Sequence[str]] = {"rmsprop": ("beta1",), "sgd": ("beta2", "epsilon")}
"""What of an optimizer's numbers its rule has no use for."""

OF_EVERY_BATCH = ("step", "progress")
"""What a batch holds that no phase draws."""


Function = Callable[..., "Tensor"]
"""Of tensors to a tensor: what a network is to a loss."""

Ahead = Callable[[int, Callable[[Function], "Tensor"]], Function]
"""From a number of updates and their loss to a network after them: see `Networks.ahead`."""

OF_NETWORKS = ("ahead",)
"""What networks have beside their names."""


class Networks:
    """A method's networks by attribute, `networks.critic(x)`; each takes and returns plain tensors."""

    def __init__(self, networks: Mapping[str, Function], ahead: Mapping[str, Ahead] | None = None) -> None:
        self.__dict__.update(networks)
        self._ahead = ahead or {}

    def __getattr__(self, name: str) -> Function:
        raise AttributeError(f"This method has no network {name!r}; it has {', '.join(self)}.")

    def __iter__(self) -> Iterator[str]:
        return (name for name in self.__dict__ if name != "_ahead")

    def ahead(self, name: str, steps: int, loss: Callable[[Function], Tensor]) -> Function:
        """A copy of a network after so many updates by its own optimiser, each on the gradient of `loss(copy)`.

        What it gives is differentiable through those updates, so a generator can learn from what its critic is going
        to be (unrolled GANs, arXiv:1611.02163). The optimiser's slots and rate are those of the moment, its weight
        clipping is left out, and the network itself stays as it is. The phase must name it in `looks_ahead`.
        """
        if name not in self._ahead:
            raise GenbenchError(f"The phase doesn't look ahead of {name!r}: looks_ahead={(*self._ahead, name)!r}.")
        if type(steps) is not int or steps < 0:
            raise GenbenchError(f"Looking ahead takes a whole number of updates from zero on, not {steps!r}.")
        return self._ahead[name](steps, loss)


class Batch:
    """What one update sees, by attribute: `batch.real` and every noise tensor that its phase asked for.

    Each has the shape `(batch, *event)`, with the event shape that the phase's draw names. `batch.step`, the number of
    generator steps taken before this one, and `batch.progress`, the used share of the budget in [0, 1), are tensors of
    no dimension, the same for all repeats of a phase.
    """

    def __init__(self, tensors: Mapping[str, Tensor]) -> None:
        self.__dict__.update(tensors)

    def __getattr__(self, name: str) -> Tensor:
        raise AttributeError(f"This phase draws no {name!r}; add it to the phase's draws.")


@dataclass(frozen=True)
class Phase:
    """One or several networks' turn to learn from one loss, `repeats` times in a row, each time on a fresh batch.

    `networks` is the name of the network, or names of those that learn together: that is one update. `loss` takes the
    networks and the batch and returns a scalar. It is pure: it changes nothing, reduces over the batch, and may be
    called more often than it trains. Its turn comes in the first of each `every` generator steps. `batch` is the
    phase's own batch size, the method's where there is none. `after` maps a network's parameters to what they become
    after each update (weight clipping). Gradients reach the phase's own networks alone. `looks_ahead` names the
    networks whose next updates the loss looks at, with `networks.ahead`.
    """

    networks: Sequence[str]
    loss: Callable[[Networks, Batch], Tensor]
    draws: Mapping[str, Draw]
    repeats: int = 1
    after: Callable[[Params], Params] | None = None
    every: int = 1
    batch: int | None = None
    looks_ahead: Sequence[str] = ()

    def __post_init__(self) -> None:
        given = (self.networks,) if isinstance(self.networks, str) else self.networks
        named = isinstance(given, Sequence) and len(given) > 0 and all(isinstance(name, str) for name in given)
        _check(named, "api.Phase", "networks must be the name of one, or a tuple of names", self.networks)
        object.__setattr__(self, "networks", tuple(given))
        of = f"api.Phase of {self.name}"
        _check(len(set(given)) == len(given), of, "networks must differ", self.networks)
        _check(callable(self.loss), of, "loss must be a function of networks and batch", self.loss)
        _check(_is_whole(self.repeats), of, "repeats must be a whole number from 1 on", self.repeats)
        _check(_is_whole(self.every), of, "every must be a whole number from 1 on", self.every)
        _check(self.batch is None or _is_whole(self.batch), of, "batch must be a whole number from 1 on", self.batch)
        _check(self.after is None or callable(self.after), of, "after must be a function of parameters", self.after)
        seen = (self.looks_ahead,) if isinstance(self.looks_ahead, str) else self.looks_ahead
        named = isinstance(seen, Sequence) and all(isinstance(name, str) for name in seen)
        _check(named, of, "looks_ahead must be names of networks", self.looks_ahead)
        object.__setattr__(self, "looks_ahead", tuple(seen))
        _check(isinstance(self.draws, Mapping), of, "draws must say by name what a batch holds", self.draws)
        for name, draw in self.draws.items():
            _check(isinstance(name, str) and name.isidentifier(), of, "draws must have names for attributes", name)
            _check(name not in OF_EVERY_BATCH, of, "draws must not be named as what every batch has", name)
            fits = isinstance(draw, Real | Labels) or _is_noise(draw)
            _check(fits, of, f"{name} must be api.Real(), api.Labels(), or noise such as api.Normal((2,))", draw)
        self._check_labels(of)

    def _check_labels(self, of: str) -> None:
        real = [name for name, draw in self.draws.items() if isinstance(draw, Real)]
        for name, draw in self.draws.items():
            if isinstance(draw, Labels) and draw.of is None and len(real) != 1:
                which = f"name one: api.Labels({real[0]!r})" if real else 'add some: "real": api.Real()'
                raise GenbenchError(f"{of}: {name} are labels of real samples, and it draws {len(real)} such; {which}.")
            if isinstance(draw, Labels) and draw.of is not None:
                _known("draw of real samples", draw.of, real, f"{of} draws its labels.")

    @property
    def labelled(self) -> dict[str, str]:
        """The names of labels that it draws, each with the name of the real samples that they are of."""
        (*_, only) = [None, *(name for name, draw in self.draws.items() if isinstance(draw, Real))]
        return {name: str(draw.of or only) for name, draw in self.draws.items() if isinstance(draw, Labels)}

    @property
    def name(self) -> str:
        """Its networks, joined by +."""
        return "+".join(self.networks)

    def turns(self, steps: int) -> int:
        """How often its turn came in so many generator steps."""
        return -(-steps // self.every)


@dataclass(frozen=True)
class Optimizer:
    """A torch optimiser by name.

    `beta1` is Adam's first decay or SGD's momentum, `beta2` the second-moment decay, `epsilon` what is added to the
    root of the second moment; those that a rule has no use for are left out or zero. `weight_decay` is added to the
    gradient as a multiple of the weights; `adamw` shrinks the weights by it instead, times the rate. Over the first
    `warmup` generator steps the rate rises on a line from lr/warmup to lr; `schedule` is the network's own, the
    method's where there is none.
    """

    name: OptimizerName
    lr: float
    beta1: float = 0.9
    beta2: float = 0.999
    weight_decay: float = 0.0
    epsilon: float = 1e-8
    warmup: int = 0
    schedule: ScheduleName | None = None

    def __post_init__(self) -> None:
        of = "api.Optimizer"
        _known("optimizer", self.name, get_args(OptimizerName))
        _check(_is_number(self.lr) and self.lr > 0, of, "lr must be a number above zero", self.lr)
        for name, decay in (("beta1", self.beta1), ("beta2", self.beta2)):
            _check(_is_number(decay) and 0 <= decay < 1, of, f"{name} must lie in [0, 1)", decay)
        decays = _is_number(self.weight_decay) and self.weight_decay >= 0
        _check(decays, of, "weight_decay must be a number from zero on", self.weight_decay)
        _check(
            _is_number(self.epsilon) and self.epsilon >= 0, of, "epsilon must be a number from zero on", self.epsilon
        )
        for name in IDLE.get(self.name, ()):
            given, default = getattr(self, name), getattr(Optimizer, name)
            _check(
                given in (default, 0), of, f"{self.name} has no {name}: it must be left out, 0 or {default:g}", given
            )
        rises = self.warmup == 0 or _is_whole(self.warmup)
        _check(rises, of, "warmup must be a whole number of generator steps", self.warmup)
        if self.schedule is not None:
            _known("schedule", self.schedule, get_args(ScheduleName))


@dataclass(frozen=True)
class Method:
    """A method as data: networks, phases, one optimiser a network, the prior and the batch size.

    `networks["generator"]` maps prior noise to samples, unless they are made by a procedure: `sample` takes the
    networks and noise `(batch, *prior)` and gives `(batch, *event)` samples. It may evaluate networks many times, which
    is counted, and use `input_gradient`. `landscape` names the network whose level sets are worth a picture, if one
    maps samples to `(batch, 1)` scores. `log_prob` takes the networks and `(n, *event)` samples, and gives their log
    densities in nats, `(n,)`; with `bound` they are lower bounds, each by so many draws. One generator step is one pass
    over all phases whose turn it is.
    """

    networks: Mapping[str, Module]
    phases: Sequence[Phase]
    optimizers: Mapping[str, Optimizer]
    prior: Noise
    batch: int
    schedule: ScheduleName = "constant"
    landscape: str | None = None
    sample: Callable[[Networks, Tensor], Tensor] | None = None
    log_prob: Callable[[Networks, Tensor], Tensor] | None = None
    bound: int | None = None

    def __post_init__(self) -> None:
        likelihood = self.log_prob is None or callable(self.log_prob)
        _check(likelihood, "api.Method", "log_prob must be a function of networks and samples", self.log_prob)
        bounds = self.bound is None or (_is_whole(self.bound) and self.log_prob is not None)
        _check(bounds, "api.Method", "bound must be how many draws log_prob takes for each sample", self.bound)
        _check(self.sample is None or callable(self.sample), "api.Method", "sample must be a function", self.sample)
        self._check_networks()
        _check(_is_whole(self.batch), "api.Method", "batch must be a whole number from 1 on", self.batch)
        _check(_is_noise(self.prior), "api.Method", "prior must be noise such as api.Normal((2,))", self.prior)
        _known("schedule", self.schedule, get_args(ScheduleName))
        if self.landscape is not None:
            _known("network", self.landscape, self.networks, "It is the landscape of this api.Method.")
        phases = isinstance(self.phases, Sequence) and all(isinstance(phase, Phase) for phase in self.phases)
        _check(phases and len(self.phases) > 0, "api.Method", "phases must be a list of api.Phase", self.phases)
        trained = dict.fromkeys(name for phase in self.phases for name in phase.networks)
        for name in trained:
            _known("network", name, self.networks, "It is to learn in a phase of this api.Method.")
            if not any(parameter.numel() for parameter in learning(self.networks[name]).values()):
                raise GenbenchError(f"api.Method: the network {name} is to learn and has no parameters that do.")
        _check(isinstance(self.optimizers, Mapping), "api.Method", "optimizers must be given by name", self.optimizers)
        for name, optimizer in self.optimizers.items():
            _known("network", name, trained, "It has an optimizer in this api.Method, and no phase.")
            _check(isinstance(optimizer, Optimizer), f"api.Method: {name}", "needs an api.Optimizer", optimizer)
        for name in (name for phase in self.phases for name in phase.looks_ahead):
            _known("network", name, self.optimizers, "A phase of this api.Method looks ahead of its updates.")
        if lacking := [name for name in trained if name not in self.optimizers]:
            raise GenbenchError(f"api.Method: {lacking[0]} is to learn and has no optimizer. Add it to optimizers.")

    def _check_networks(self) -> None:
        """Raises GenbenchError for what are no networks, for two that share weights, and without a generator."""
        from torch.nn import Module

        _check(isinstance(self.networks, Mapping), "api.Method", "networks must be given by name", self.networks)
        owners: dict[int, str] = {}
        for name, network in self.networks.items():
            fits = isinstance(name, str) and name.isidentifier() and name not in OF_NETWORKS
            _check(fits, "api.Method", "networks need names, other than ahead", name)
            _check(isinstance(network, Module), "api.Method", f"network {name} must be a torch module", network)
            parameters = network.named_parameters(remove_duplicate=False)
            for own, held in (*parameters, *network.named_buffers(remove_duplicate=False)):
                where = f"{name}.{own}"
                if (owner := owners.setdefault(id(held), where)) != where:
                    raise GenbenchError(
                        f"api.Method: {owner} and {where} are the same tensor. Let one module hold it, and call that "
                        "wherever it is wanted."
                    )
        if self.sample is None:
            _known("network", "generator", self.networks, "It makes the samples, unless api.Method has a sample=.")

    @property
    def makers(self) -> list[str]:
        """The networks that samples, or a likelihood, may come of, which are those that an average is taken of."""
        alone = self.sample is None and self.log_prob is None
        return ["generator"] if alone else list(self.networks)

    @property
    def names(self) -> list[str]:
        """What each phase's losses are called; of phases of the same networks, all but the first have a number."""
        names = [phase.name for phase in self.phases]
        return [f"{name} {names[:i].count(name) + 1}" if name in names[:i] else name for i, name in enumerate(names)]

    @property
    def labelled(self) -> bool:
        """Whether any of its phases draws labels."""
        return any(phase.labelled for phase in self.phases)

    def updates(self, steps: int) -> int:
        """How many updates so many generator steps are; networks that learn together from one loss have one."""
        return sum(phase.repeats * phase.turns(steps) for phase in self.phases)

    def samples(self, steps: int) -> int:
        """How many real samples so many generator steps see."""
        return sum(
            self.batch_of(phase) * phase.repeats * phase.turns(steps)
            for phase in self.phases
            for draw in phase.draws.values()
            if isinstance(draw, Real)
        )

    def batch_of(self, phase: Phase) -> int:
        """A phase's batch size."""
        return phase.batch or self.batch

    def rate(self, network: str, step: int, progress: float) -> float:
        """A network's learning rate after so many steps, at the used share of the budget."""
        optimizer = self.optimizers[network]
        risen = min(1.0, (step + 1) / optimizer.warmup) if optimizer.warmup else 1.0
        return optimizer.lr * schedule(optimizer.schedule or self.schedule, progress) * risen


def learning(network: Module) -> dict[str, Parameter]:
    """A network's parameters that learn, by name: those that nobody has frozen by `requires_grad_(False)`."""
    return {name: parameter for name, parameter in network.named_parameters() if parameter.requires_grad}


def standing(network: Module) -> dict[str, Tensor]:
    """What else a network keeps, by name: frozen parameters and buffers."""
    frozen = {name: value for name, value in network.named_parameters() if not value.requires_grad}
    return frozen | dict(network.named_buffers())


@runtime_checkable
class Trainer(Protocol):
    """What no list of phases can say: the wider contract. The engine gives it data and asks it for samples."""

    updates_per_step: int

    def step(self, data: DataStream, progress: float) -> Mapping[str, Tensor]:
        """One generator step; `progress` is the used share of the budget, in [0, 1). Returns losses by name."""

    def sample(self, n: int, rng: torch.Generator) -> Tensor:
        """Generates `(n, *event)` samples with noise from `rng` alone, changing nothing."""

    def state_dict(self) -> dict[str, Tensor]:
        """Everything that a step reads and changes, as named tensors."""

    def load_state_dict(self, state: Mapping[str, Tensor]) -> None:
        """The inverse of `state_dict`."""

    def weights(self) -> dict[str, Tensor]:
        """The networks' parameters and buffers alone, as `network.parameter`."""


def _is_noise(given: object) -> bool:
    return isinstance(given, Noise) and not isinstance(given, type) and isinstance(given.shape, tuple)


def _is_whole(given: object) -> bool:
    return type(given) is int and given >= 1


def _is_number(given: object) -> bool:
    return isinstance(given, int | float) and not isinstance(given, bool) and math.isfinite(given)


def _known(kind: str, name: Any, known: Iterable[str], note: str = "") -> None:
    if not isinstance(name, str):
        raise GenbenchError(f"The {kind} {name!r} is no name. {note}".rstrip())
    if name not in known:
        raise UnknownName(kind, name, known, note)


def _check(fits: bool, of: str, what: str, given: object) -> None:
    if not fits:
        raise GenbenchError(f"{of}: {what}, not {given!r}.")
