"""Which part of a suite is whose, where several machines share it and can't see each other."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from genbench.errors import GenbenchError
from genbench.spec import Budget, Component, Trial


class Shard(NamedTuple):
    """The part `number` of so many `parts`, from 1 on."""

    number: int
    parts: int

    @classmethod
    def parse(cls, text: str) -> Shard:
        """Reads `2/8`; raises GenbenchError for anything else."""
        match = re.fullmatch(r"\s*(\d{1,6})/(\d{1,6})\s*", text)
        if match is None or not 1 <= int(match[1]) <= int(match[2]):
            raise GenbenchError(f"{text!r} is not a shard. Write --shard 1/8 to --shard 8/8, each once.")
        return cls(int(match[1]), int(match[2]))

    def of(self, trials: Sequence[Trial], stack: int) -> list[Trial]:
        """Its part of a suite's trials, which depends on nothing but them: all parts together are all trials, once.

        Up to `stack` seeds of one trainer, dataset and budget stay together, to be trained as one batched update, and
        the parts take turns, so that what costs most is spread over all.
        """
        cells: dict[tuple[Budget, Component, Component], list[Trial]] = {}
        for trial in trials:
            cells.setdefault((trial.budget, trial.dataset, trial.trainer), []).append(trial)
        stacks = [own[i : i + stack] for own in cells.values() for i in range(0, len(own), stack)]
        mine = {trial.id for own in stacks[self.number - 1 :: self.parts] for trial in own}
        return [trial for trial in trials if trial.id in mine]
