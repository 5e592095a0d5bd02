"""What a dataset keeps to: fresh samples of one shape, from the stream that is given and no other."""

from __future__ import annotations

import math
from functools import cached_property

import torch
from torch import Tensor

from genbench.contract.findings import number, require
from genbench.contract.streams import global_streams_left_alone, stream
from genbench.datasets.base import Dataset, DataStream, Finite, Modes, Target, check_dataset
from genbench.errors import Skip
from genbench.references import Reference
from genbench.registry import DatasetEntry, datasets

FEW, MANY = 20, 500
GRID_STEPS, MOST_CELLS = 800, 1_000_000
COARSE = 0.05
"""Of a density's sum, how much it may change with half as many steps along each axis."""
"""An axis's cells where no std says how fine they must be, and the most of all axes."""

MARGIN = 7
"""Stds around a target's box that the density is summed over."""

CHANCE = 8
"""Standard errors between two means of the same, at the most."""

A_CLASS = 1_000
"""Samples for each class, of which one must be of the rarest."""

VERY_MANY = 100_000
"""Numbers of as many samples as are drawn at once."""

AGAIN = 200
"""Draws after which the same stream must still give the same."""


class DatasetCase:
    """A dataset, built once. Raises Skip where its data is not at hand.

    Args:
        reference: the dataset, perhaps with parameters.
    """

    def __init__(self, reference: str) -> None:
        self.reference = reference
        self.dataset = self.again()

    def again(self) -> Dataset:
        """The dataset, built anew."""
        parsed = Reference.parse(self.reference)
        entry = datasets[parsed.name]
        if not at_hand(entry, self.reference):
            raise Skip("its data is not at hand: genbench data list")
        return check_dataset(parsed.name, entry.build(**entry.resolve(parsed.parameters)))

    @property
    def target(self) -> Target:
        if not isinstance(self.dataset, Target):
            raise Skip("it has no density: log_prob, modes, curve and box make it a target")
        return self.dataset

    @property
    def finite(self) -> Finite:
        if not isinstance(self.dataset, Finite):
            raise Skip("its samples are endless")
        return self.dataset

    @property
    def modes(self) -> Modes:
        if self.target.modes is None:
            raise Skip("it has no modes")
        return self.target.modes

    @cached_property
    def density(self) -> tuple[float, float]:
        """The sum of the density over a fine grid, and its entropy in nats."""
        std, box = self._std, self.target.box
        axes = []
        for low, high in zip(box.low.tolist(), box.high.tolist(), strict=True):
            margin = MARGIN * std if std else (high - low) / 2
            step = std or (high - low + 2 * margin) / GRID_STEPS
            axes.append(torch.arange(low - margin, high + margin, step, dtype=torch.float64))
        cells = math.prod(len(axis) for axis in axes)
        if cells > MOST_CELLS:
            raise Skip(f"its std is so small that {cells} cells would have to be summed")
        points = torch.stack(torch.meshgrid(*axes, indexing="ij"), -1).reshape(-1, len(axes))
        log_density = torch.cat([self.target.log_prob(rows) for rows in torch.split(points, 20_000)])
        mass = log_density.exp() * math.prod(float(axis[1] - axis[0]) for axis in axes)
        every_other = mass.reshape([len(axis) for axis in axes])[(slice(None, None, 2),) * len(axes)]
        total = mass.sum().item()
        if not std and abs(every_other.sum().item() * 2 ** len(axes) - total) > COARSE * total:
            raise Skip(f"{GRID_STEPS} steps along its box are too coarse to sum so narrow a density")
        return total, -(mass * log_density).nansum().item()

    @property
    def _std(self) -> float:
        """How wide the noise is, where the target says so: a sum over squares one std wide is exact for Gaussians."""
        if len(self.target.event_shape) != 1 or self.target.event_shape[0] > 2:
            raise Skip("its density is summed in one and two dimensions alone")
        known = self.target.modes or self.target.curve
        return known.std if known else 0.0


def at_hand(entry: DatasetEntry, reference: str) -> bool:
    """Whether a dataset can be built here: data that nobody may pass on has to be brought."""
    parameters = entry.resolve(Reference.parse(reference).parameters)
    return entry.stock is None or bool(entry.stock(**parameters).present)


def samples_have_its_shape(case: DatasetCase) -> str:
    """Any number of samples is `(n, *event_shape)` of finite float32; images lie between −1 and 1."""
    shape = tuple(case.dataset.event_shape)
    for n in (1, 7, MANY):
        samples = case.dataset.sample(n, stream())
        require(
            tuple(samples.shape) == (n, *shape),
            f"{n} samples have the shape {tuple(samples.shape)}, and event_shape says {(n, *shape)}.",
        )
        require(samples.dtype == torch.float32, f"Samples are {samples.dtype}: make them torch.float32.")
        require(bool(torch.isfinite(samples).all()), f"Of {n} samples some are not finite.")
    if len(shape) == 3:
        low, high, spread = float(samples.min()), float(samples.max()), float(samples.std())
        require(low >= -1 and high <= 1, f"Images must lie in [-1, 1], and these in [{number(low)}, {number(high)}].")
        require(spread > 0.1, f"The pixels' std is {number(spread)}: spread them over [-1, 1].")
    if isinstance(case.dataset, Finite):
        return f"Samples are finite float32 of shape {shape}."
    many = case.dataset.sample(VERY_MANY // math.prod(shape), stream())
    broken = int((~torch.isfinite(many)).flatten(1).any(1).sum())
    require(not broken, f"Of {len(many)} samples {broken} are not finite.")
    require(
        _alike(many.flatten(1), samples.flatten(1)),
        f"{len(many)} samples at once are of another mean or spread than {MANY}: how many are drawn must not matter.",
    )
    return f"Samples are finite float32 of shape {shape}, {len(many)} at once too."


def samples_come_from_the_given_stream(case: DatasetCase) -> str:
    """The same stream gives the same samples, another one others, and the global streams are left alone."""
    with global_streams_left_alone("It"):
        first, second = (case.dataset.sample(50, stream()) for _ in range(2))
        for _ in range(AGAIN):
            case.dataset.sample(FEW, stream(2))
        later = case.dataset.sample(50, stream())
        again = case.again().sample(50, stream())
        other = case.dataset.sample(50, stream(1))
    require(
        all(torch.equal(first, each) for each in (second, later, again)),
        "The same stream gives other samples the second time: draw from rng alone, with generator=rng.",
    )
    require(
        not torch.equal(first, other),
        "Another stream gives the same samples: it ignores rng. Pass on generator=rng to every draw.",
    )
    shared = sum(bool((first[i] == other[i]).all()) for i in range(50))
    few = isinstance(case.dataset, Finite)
    require(few or shared == 0, f"{shared} of 50 samples are the same whatever the stream: draw all of them with rng.")
    return "The stream that is given decides the samples, and nothing else does."


def stream_goes_on(case: DatasetCase) -> str:
    """One stream never gives the same samples again."""
    data = DataStream(case.dataset, stream())
    first, second = data.next(5), data.next(3)
    require(not torch.equal(first[:3], second), "A stream that is drawn from twice gives the same samples again.")
    if not isinstance(case.dataset, Finite):
        distinct = len(torch.unique(torch.cat([first, second]), dim=0))
        require(distinct == 8, f"Of 8 samples of one stream only {distinct} differ.")
    return "A stream that is drawn from again gives fresh samples."


def moves_to_a_device(case: DatasetCase) -> str:
    """`to(device)` gives the same dataset, which draws on that device."""
    moved = case.dataset.to("cpu")
    require(
        torch.equal(moved.sample(FEW, stream()), case.dataset.sample(FEW, stream())),
        "Moved to the device that it is on, it gives other samples. Let to(device) return the same dataset.",
    )
    if torch.cuda.is_available():
        samples = case.dataset.to("cuda").sample(FEW, torch.Generator("cuda").manual_seed(0))
        require(samples.is_cuda, "Moved to cuda, it draws elsewhere: draw on rng.device.")
        return "It draws on the processor and on CUDA."
    return "It draws on the processor; no other device was at hand."


def parts_differ(case: DatasetCase) -> str:
    """What is trained on, held out and compared with are three sets of samples that share none."""
    finite = case.finite
    parts = (finite.train, finite.held_out, finite.reference)
    drawn = [part.distinct(10, stream()) for part in parts]
    shape = (10, *finite.event_shape)
    require(
        all(tuple(samples.shape) == shape for samples in drawn),
        "Samples of train, held_out or reference are misshapen.",
    )
    require(
        len(torch.unique(torch.cat(drawn), dim=0)) == 30,
        "train, held_out and reference share samples, or `distinct` gives one twice.",
    )
    require(
        torch.equal(finite.train.at(torch.tensor([3, 0]))[1], finite.train.at(torch.tensor([0]))[0]),
        "train.at gives other samples for the same places.",
    )
    again = finite.dealt(stream())
    sizes = [len(part) for part in parts[:2]]
    require([len(again.train), len(again.held_out)] == sizes, "dealt changes the sizes of train and held_out.")
    return f"{len(parts[0])} samples to train on, {len(parts[1])} held out, {len(parts[2])} to compare with."


def labels_are_those_of_the_samples(case: DatasetCase) -> str:
    """`labelled` gives what `sample` gives, and a class for each."""
    count = len(case.dataset.classes)
    if not count:
        raise Skip("its samples have no classes")
    samples, labels = case.dataset.labelled(MANY, stream())
    require(torch.equal(samples, case.dataset.sample(MANY, stream())), "labelled gives other samples than sample.")
    require(tuple(labels.shape) == (MANY,), f"labelled gives labels of shape {tuple(labels.shape)}, not ({MANY},).")
    whole = not labels.is_floating_point() and bool(((labels >= 0) & (labels < count)).all())
    require(whole, f"labels must be whole numbers from 0 to {count - 1}.")
    seen: set[int] = set()
    drawn, rng = 0, stream(1)
    while len(seen) < count and drawn < count * A_CLASS:
        seen |= set(case.dataset.labelled(MANY, rng)[1].tolist())
        drawn += MANY
    missing = [str(case.dataset.classes[i]) for i in range(count) if i not in seen]
    require(not missing, f"Of {drawn} samples none is of a class that it names: {', '.join(missing)}.")
    return f"Each sample has one of {count} classes, and each class has samples."


CHECKS = (
    samples_have_its_shape,
    samples_come_from_the_given_stream,
    stream_goes_on,
    moves_to_a_device,
    parts_differ,
    labels_are_those_of_the_samples,
)


def _alike(one: Tensor, other: Tensor) -> bool:
    """Whether samples of one distribution, heavy tails or not, differ by no more than chance: in bounded moments."""
    low, middle, high = torch.quantile(other.double(), torch.tensor([0.1, 0.5, 0.9], dtype=torch.float64), 0)
    width = torch.where(high > low, high - low, 1.0)
    ours, theirs = (torch.tanh((of.double() - middle) / width) for of in (one, other))
    return all(
        bool(((a.mean(0) - b.mean(0)).abs() * math.sqrt(len(b)) < CHANCE * b.std(0).clamp(min=0.1)).all())
        for a, b in ((ours, theirs), (ours.square(), theirs.square()))
    )
