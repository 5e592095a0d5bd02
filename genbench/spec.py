"""What is to be run: suites, budgets and trials, as frozen models with one canonical form."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable
from itertools import groupby
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from genbench.errors import BadParameter, GenbenchError
from genbench.limits import MOST_CHECKPOINTS
from genbench.plugins import Source
from genbench.references import Reference, Value
from genbench.registry import DEFAULT_PROTOCOL, NAME, DatasetEntry, Entry, Registry, datasets, metrics, trainers

ENGINE_VERSION = 4
"""Raised whenever the engine changes the bits that a trial leaves behind."""

Decay = Annotated[float, Field(gt=0, lt=1)]
"""Of the exponential moving average of a generator's weights; without one, nothing is averaged."""

BudgetKind = Literal["steps", "updates", "samples", "seconds"]


def canonical_json(value: Any) -> str:
    """JSON with sorted keys and no spaces: equal values have equal texts."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


class Frozen(BaseModel):
    """A model that can't change once made and refuses fields it doesn't know."""

    model_config = ConfigDict(frozen=True, extra="forbid")


SEEDS = 2**63
"""There are so many seeds, from 0 on: what tables of 64-bit integers hold."""


class Budget(Frozen):
    """When training stops: after so many generator steps, network updates, real samples or seconds."""

    kind: BudgetKind
    amount: float = Field(gt=0, allow_inf_nan=False)

    @classmethod
    def parse(cls, text: str) -> Budget:
        """Reads `steps=3000`; raises BadParameter for an unknown unit or an amount that isn't above zero."""
        kinds = "steps, updates, samples or seconds"
        kind, _, amount = text.partition("=")
        try:
            number = float(amount.replace("_", ""))
        except ValueError:
            number = 0.0
        if kind not in ("steps", "updates", "samples", "seconds") or not 0 < number < float("inf"):
            raise BadParameter(f"{text!r} is not a budget. Give one of {kinds} above zero, say --budget steps=3000.")
        if kind != "seconds" and not number.is_integer():
            raise BadParameter(f"{text!r}: {kind} come in whole numbers.")
        return cls(kind=kind, amount=number)  # type: ignore[arg-type]  # narrowed by the check above

    def __str__(self) -> str:
        return f"{self.kind}={int(self.amount) if self.amount.is_integer() else self.amount}"


class Component(Frozen):
    """A registered thing with every parameter spelled out, as it takes part in a trial.

    `source` is what stands behind a plugin's thing (see `plugins.source_of`), and behind plugins' things that its
    parameters name; empty for genbench's own.
    """

    name: str
    version: int
    parameters: dict[str, Value]
    label: str
    files: dict[str, str] = {}
    source: Source = {}

    @classmethod
    def resolve(cls, registry: Registry[Any], reference: str) -> Component:
        """Looks `reference` up and fills in its parameters; raises UnknownName or BadParameter."""
        parsed = Reference.parse(reference)
        entry = registry[parsed.name]
        parameters = entry.resolve(parsed.parameters)
        return cls(
            name=entry.name,
            version=entry.version,
            parameters=parameters,
            label=entry.label(parsed.parameters),
            files=_fingerprints(entry, parameters),
            source=entry.sources(parameters),
        )

    @property
    def identity(self) -> dict[str, Any]:
        """What decides this component's behaviour: a file counts by its content, not by its path."""
        parameters = {key: value for key, value in self.parameters.items() if key not in self.files}
        own = {"name": self.name, "version": self.version, "parameters": parameters, "files": self.files}
        return own | {"source": self.source} if self.source else own

    def check_files(self, registry: Registry[Any]) -> None:
        """Raises GenbenchError where its files aren't those that it was resolved with.

        Whoever has just read them asks: what was read may be what somebody wrote since.
        """
        if self.files and _fingerprints(registry[self.name], self.parameters) != self.files:
            raise GenbenchError(f"The files of {self.label} changed while it was read. Give the command again.")

    def __hash__(self) -> int:
        return hash(canonical_json(self.model_dump()))


def _fingerprints(entry: Entry, parameters: dict[str, Value]) -> dict[str, str]:
    hashes: dict[str, str] = {}
    if not isinstance(entry, DatasetEntry):
        return hashes
    for key in entry.files:
        path = Path(str(parameters[key]))
        if not path.is_file():
            raise BadParameter(f"{entry.kind} {entry.name}: {key}={path} is not a file.")
        hashes[key] = hashlib.sha256(path.read_bytes()).hexdigest()
    if entry.stock is not None:
        hashes |= entry.stock(**parameters).fingerprints()
    return hashes


class Trial(Frozen):
    """One trainer on one dataset with one seed and one budget."""

    dataset: Component
    trainer: Component
    budget: Budget
    seed: int = Field(ge=0, lt=SEEDS)
    ema: Decay | None = None
    engine: int = ENGINE_VERSION

    @property
    def id(self) -> str:
        """Twelve hex digits of the SHA-256 of exactly what decides the trained weights."""
        spec = {
            "dataset": self.dataset.identity,
            "trainer": self.trainer.identity,
            "budget": self.budget.model_dump(),
            "seed": self.seed,
            "engine": self.engine,
            **self._averaged,
        }
        return hashlib.sha256(canonical_json(spec).encode()).hexdigest()[:12]

    @property
    def plan_key(self) -> str:
        """The trial as people ask for it: of equal keys and different ids one was made by other code or of other files.

        References are in their shortest form, which a new parameter with a default leaves as it is.
        """
        spec = {
            "dataset": self.dataset.label,
            "trainer": self.trainer.label,
            "budget": self.budget.model_dump(),
            "seed": self.seed,
            **self._averaged,
        }
        return canonical_json(spec)

    @property
    def _averaged(self) -> dict[str, float]:
        return {} if self.ema is None else {"ema": self.ema}

    def __str__(self) -> str:
        return f"{self.trainer.label} on {self.dataset.label}, seed {self.seed}"


class Suite(Frozen):
    """A named, versioned plan: datasets × trainers × seeds × budgets, scored under protocols.

    `metrics` are columns that the first protocol gets beside its own.
    `budget=` in a call or a stored plan stands for `budgets` of that one.
    """

    name: str
    version: int
    datasets: tuple[str, ...] = Field(min_length=1)
    trainers: tuple[str, ...] = Field(min_length=1)
    seeds: tuple[int, ...] = Field(min_length=1)
    budgets: tuple[Budget, ...] = Field(min_length=1)
    protocols: tuple[str, ...] = Field(default=(DEFAULT_PROTOCOL,), min_length=1)
    metrics: tuple[str, ...] = ()
    ema: Decay | None = None
    checkpoints: int = Field(default=12, ge=1, le=MOST_CHECKPOINTS)
    control_draws: int = Field(default=5, ge=2)

    @model_validator(mode="before")
    @classmethod
    def _of_one_budget(cls, given: Any) -> Any:
        if not isinstance(given, dict) or "budget" not in given:
            return given
        if "budgets" in given:
            raise ValueError("give a suite's budgets, or its only budget, and not both")
        return {key: value for key, value in given.items() if key != "budget"} | {"budgets": (given["budget"],)}

    @field_validator("name")
    @classmethod
    def _names_a_folder(cls, name: str) -> str:
        if NAME.fullmatch(name) is None or name in ("reference", "external"):
            raise ValueError(
                "a suite's name is a folder's: use a-z, 0-9, '-', '_' and '.'; 'reference' and 'external' are taken"
            )
        return name

    def canonical(self) -> Suite:
        """The same plan with every reference in its shortest form, and none twice; raises for names that are none.

        Looks at no file, so a plan can be read where its data is not at hand.
        """
        return self.model_copy(
            update={
                "datasets": tuple(dict.fromkeys(datasets.label(text) for text in self.datasets)),
                "trainers": tuple(dict.fromkeys(trainers.label(text) for text in self.trainers)),
                "budgets": tuple(dict.fromkeys(self.budgets)),
                "metrics": tuple(dict.fromkeys(metrics.label(text) for text in self.metrics)),
            }
        )

    def trials(self) -> list[Trial]:
        """Every trial of the plan, seed by seed, so that an early stop leaves whole comparisons behind."""
        data = [Component.resolve(datasets, reference) for reference in self.datasets]
        methods = [Component.resolve(trainers, reference) for reference in self.trainers]
        return [
            Trial(dataset=dataset, trainer=trainer, budget=budget, seed=seed, ema=self.ema)
            for seed in self.seeds
            for budget in self.budgets
            for dataset in data
            for trainer in methods
        ]


def parse_seeds(text: str) -> tuple[int, ...]:
    """`0-4`, `7` and `0-2,8` as sorted seeds; raises GenbenchError for anything else."""
    seeds: set[int] = set()
    for part in text.split(","):
        match = re.fullmatch(r"\s*(\d+)(?:-(\d+))?\s*", part)
        if match is None:
            raise GenbenchError(f"{text!r} are not seeds. Write --seeds 0-4, --seeds 7 or --seeds 0-2,8.")
        first, last = int(match[1]), int(match[2] or match[1])
        if last < first:
            raise GenbenchError(f"The seeds {part.strip()} run backwards. Write {last}-{first}.")
        if last >= SEEDS:
            raise GenbenchError(f"The seed {last} is too large. Seeds are below 2⁶³: --seeds {SEEDS - 1}, at the most.")
        if last - first >= 10_000:
            raise GenbenchError(f"The seeds {part.strip()} are over 10 000. Give fewer.")
        seeds.update(range(first, last + 1))
    return tuple(sorted(seeds))


def format_seeds(seeds: Iterable[int]) -> str:
    """The inverse of `parse_seeds`, as short as it can be: `0-4,8`."""
    ordered = sorted(set(seeds))
    # Neighbours keep the same distance to their place in the order.
    runs = [[seed for _, seed in run] for _, run in groupby(enumerate(ordered), lambda pair: pair[1] - pair[0])]
    return ",".join(f"{run[0]}-{run[-1]}" if len(run) > 1 else str(run[0]) for run in runs)
