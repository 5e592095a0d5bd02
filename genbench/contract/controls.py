"""What a control keeps to: samples like those of the dataset, from the stream that is given."""

from __future__ import annotations

import torch

from genbench.contract.digits import digits
from genbench.contract.findings import require
from genbench.contract.streams import global_streams_left_alone, stream
from genbench.datasets.base import Dataset
from genbench.errors import Skip
from genbench.references import Reference
from genbench.registry import controls, datasets

N = 40


class ControlCase:
    """A control and the dataset that it is checked on.

    Args:
        reference: the control, perhaps with parameters.
        dataset: by default the first of ring8, swissroll and printed digits that it applies to.
    """

    def __init__(self, reference: str, dataset: str | Dataset | None = None) -> None:
        parsed = Reference.parse(reference)
        self.entry = controls[parsed.name]
        self.parameters = self.entry.resolve(parsed.parameters)
        self.dataset = datasets.build(dataset) if isinstance(dataset, str) else dataset or self._fitting()

    def samples(self, seed: int = 0) -> torch.Tensor:
        """What it makes on the stream of that seed; raises Skip where it doesn't apply."""
        made: torch.Tensor = self.entry.build(self.dataset, N, stream(seed), **self.parameters)
        return made

    def _fitting(self) -> Dataset:
        tried: list[Dataset] = [datasets.build("ring8"), datasets.build("swissroll"), digits()]
        for dataset in tried:
            try:
                self.entry.build(dataset, N, stream(), **self.parameters)
            except Skip:
                continue
            return dataset
        return tried[0]


def samples_are_like_the_datasets(case: ControlCase) -> str:
    """Finite float32 samples of the dataset's shape, from the stream that is given alone."""
    with global_streams_left_alone("It"):
        samples = case.samples()
        again, other = case.samples(), case.samples(1)
    shape = (N, *case.dataset.event_shape)
    require(tuple(samples.shape) == shape, f"{N} samples have the shape {tuple(samples.shape)}, not {shape}.")
    require(samples.dtype == torch.float32, f"Samples are {samples.dtype}: make them torch.float32.")
    require(bool(torch.isfinite(samples).all()), "Samples are not all finite.")
    require(torch.equal(samples, again), "The same stream gives other samples the second time: draw from rng alone.")
    require(not torch.equal(samples, other), "Another stream gives the same samples: it ignores rng.")
    return f"{N} finite samples of shape {shape[1:]}, from the stream that is given."


CHECKS = (samples_are_like_the_datasets,)
