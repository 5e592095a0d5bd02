"""What a trial leaves behind: records and scores as frozen, versioned models."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from itertools import zip_longest
from typing import Annotated, Any, Literal, TypeVar

from pydantic import Field, ValidationError, WrapValidator

from genbench.errors import GenbenchError
from genbench.plugins import Source
from genbench.records import reading
from genbench.references import Value
from genbench.spec import Component, Frozen, Trial, canonical_json

SCHEMA_VERSION = 3
"""Version 2 says how long a trial compiled, and its curves' seconds are the trial's share as its cost's always were.
Version 3 says which source stands behind what a plugin brought, and how many evaluations a sample takes."""

EMPTY: Any = Field(default_factory=dict)
"""No sources. Pydantic would deep-copy a dictionary for each score, a tenth of the time in which records are read."""

MOST = 1e150
"""Beyond it a number's square is none that a float can hold, and no score or cost is so large."""

MOST_KNOWN = 1_000
"""So many identities are remembered at once."""

Number = Annotated[float, Field(ge=-MOST, le=MOST, allow_inf_nan=False)]
Count = Annotated[int, Field(ge=0, lt=2**63)]

Status = Literal["done", "diverged", "out-of-memory", "crashed", "timed-out"]


M = TypeVar("M", bound=Frozen)


class BadRecord(GenbenchError):
    """A file that isn't a record this version can read; the message says why."""


class Identity(Frozen):
    """What makes two values of a metric comparable: only equal identities share a column.

    `source` is that of a plugin's metric, `protocol_source` that of a plugin's protocol; empty for genbench's own.
    """

    metric: str
    version: int
    parameters: dict[str, Value]
    protocol: str
    protocol_version: int
    n: Count
    split: str
    dtype: str
    extractor: str | None = None
    ema: Number | None = None
    source: Source = EMPTY
    protocol_source: Source = EMPTY

    @property
    def key(self) -> str:
        """A text that equal identities share, in whichever order their parameters are."""
        return canonical_json(self.model_dump())


def _known(given: Any, validated: Callable[[Any], Identity]) -> Identity:
    """An identity, of equal ones that one which was read first: a folder has few, and one in each of its scores."""
    try:
        key = given["metric"], given["protocol"], given["n"], given["ema"]
        before, known = _IDENTITIES.get(key, (None, None))
    except (KeyError, TypeError):  # older, or no identity, or one already
        return validated(given)
    if known is None or before != given:
        known = validated(given)
        if len(_IDENTITIES) == MOST_KNOWN:
            _IDENTITIES.clear()
        _IDENTITIES[key] = given, known
    return known


_IDENTITIES: dict[tuple[Any, ...], tuple[Any, Identity]] = {}


class Score(Frozen):
    """A metric's value on a set of samples; None, with a reason, where there is none.

    It is `skipped` where the metric doesn't apply, and `undefined` where it does and the samples leave it nothing to
    measure, as those without a single mode do: then it is worse than any value. It may be `added` to the protocol's
    own columns.

    `null_low` and `null_high` hold 95 % of the values that the truth itself gets at the same n. Of a band alone,
    `null_draws` is how many draws of the truth it was made from, and `null_coverage` the share of others, as far as
    they were made, that lie inside.
    """

    name: str
    identity: Annotated[Identity, WrapValidator(_known)]
    value: Number | None
    unit: str
    higher_is_better: bool | None
    state: Literal["ok", "skipped", "undefined"]
    reason: str | None = None
    null_low: Number | None = None
    null_high: Number | None = None
    null_draws: Count | None = None
    null_coverage: Number | None = None
    added: bool = False

    @property
    def lacked(self) -> bool:
        """Whether it was skipped although the metric applies to the dataset, where the truth has a value."""
        return self.state == "skipped" and self.null_low is not None


class Cost(Frozen):
    """What a trial used: every budget's unit, seconds apart for training, compiling and measuring, peak memory.

    `evaluations` is how often networks are evaluated for one sample, as far as anyone knows.

    Seconds are the trial's share of what its stack took (genbench.engine.meter), memory is its process's, on the host
    and on the device. `compile_seconds` is None where nobody knows: in records of schema version 1, and where the
    process died. Curves of that version hold the seconds of the whole stack, whose size the provenance tells.
    """

    steps: Count
    updates: Count
    samples: Count
    train_seconds: Number
    compile_seconds: Number | None = None
    eval_seconds: Number
    peak_memory_bytes: Count | None
    peak_device_memory_bytes: Count | None = None
    evaluations: Count | None = None


class Record(Frozen):
    """A trial's outcome. `files` holds the SHA-256 of each file beside it."""

    schema_version: int = SCHEMA_VERSION
    id: str
    suite: str
    trial: Trial
    status: Status
    reason: str | None = None
    cost: Cost
    weights_sha256: str | None = None
    files: dict[str, str] = {}
    provenance: dict[str, Any] = {}


class Scores(Frozen):
    """A trial's scores, which can be computed again from its samples without training, but for those of
    the model and of checkpoints.

    `device` is where they were computed last, as people call it; None where nobody noted it.
    """

    schema_version: int = SCHEMA_VERSION
    id: str
    scores: tuple[Score, ...]
    device: str | None = None


class External(Frozen):
    """Scores of samples that came from elsewhere, which a person gave a `name`.

    `source` is the file's or folder's name, `n` how many samples it held, and `samples_sha256` that of their bytes as
    they were scored. Nobody knows what it cost to make them, so the budget is unknown.
    """

    schema_version: int = SCHEMA_VERSION
    name: str
    dataset: Component
    budget: Literal["unknown"] = "unknown"
    source: str
    n: Count
    samples_sha256: str
    scores: tuple[Score, ...]
    provenance: dict[str, Any] = {}

    def after(self, before: External | None) -> External:
        """The entry with what an earlier one of the same samples and data holds under other protocols."""
        if before is None or self.differs_from(before):
            return self
        return self.model_copy(update={"scores": renewed(before.scores, self.scores)})

    def differs_from(self, before: External) -> str | None:
        """What an earlier entry of the same name was of, if not of the same samples and data."""
        if before.samples_sha256 != self.samples_sha256:
            return "other samples"
        return "other data" if before.dataset.identity != self.dataset.identity else None


class ControlScores(Frozen):
    """A dataset's controls: each one's scores on several draws.

    `along` holds those of the oracle's draws as curves are scored under the first protocol, so that what a model
    reaches along training can be held against what the truth itself reaches with as few samples. `truth` is the
    dataset's identity; None in older ones, which don't say.
    """

    schema_version: int = SCHEMA_VERSION
    dataset: str
    key: str
    draws: dict[str, tuple[tuple[Score, ...], ...]]
    bands: tuple[Score, ...]
    along: dict[str, tuple[tuple[Score, ...], ...]] = {}
    truth: dict[str, Any] | None = None
    provenance: dict[str, Any] = {}

    def after(self, before: ControlScores | None) -> ControlScores:
        """The controls, and beside them what earlier ones of the same data hold of other identities.

        There may be trials whose scores are of those.
        """
        if before is None or before.truth is None or before.truth != self.truth:
            return self
        return self.joined(before.draws, before.bands)

    def joined(self, draws: Mapping[str, Sequence[Sequence[Score]]], bands: Sequence[Score]) -> ControlScores:
        """The controls, and after their own scores those of other identities among the given draws and bands."""
        names = dict.fromkeys((*self.draws, *draws))
        pairs = {name: zip_longest(self.draws.get(name, ()), draws.get(name, ()), fillvalue=()) for name in names}
        both = {name: tuple(_beside(*pair) for pair in of) for name, of in pairs.items()}
        return self.model_copy(update={"draws": both, "bands": _beside(self.bands, bands)})


def _with_own_seconds(payload: dict[str, Any]) -> dict[str, Any]:
    """Version 1 to 2: a cost doesn't say how long compiling took, and seconds are a trial's own.

    A budget in seconds was one of all trials that were trained together: each had its share of it.
    """
    changed: dict[str, Any] = {"schema_version": 2}
    if isinstance(payload.get("cost"), dict):
        changed["cost"] = {"compile_seconds": None, **payload["cost"]}
    match payload:
        case {
            "trial": {"budget": {"kind": "seconds", "amount": float() | int() as amount} as budget} as trial,
            "provenance": {"engine": {"stack": int(stack)}},
        } if stack > 1:
            changed["trial"] = trial | {"budget": budget | {"amount": amount / stack}}
    return payload | changed


def _without_source(payload: dict[str, Any]) -> dict[str, Any]:
    """Version 2 to 3: nobody knows what stood behind a plugin's things."""
    return payload | {"schema_version": 3}


MIGRATIONS: dict[int, Callable[[dict[str, Any]], dict[str, Any]]] = {1: _with_own_seconds, 2: _without_source}
"""For each past schema version, what turns a record of it into one of the next."""


def renewed(scores: Sequence[Score], fresh: Sequence[Score]) -> tuple[Score, ...]:
    """`scores` with the `fresh` ones in the place of those of their protocols.

    Those of other protocols stay, and so do columns that were added to a protocol, and where the fresh ones are such
    columns alone all others too.
    """
    of: dict[str, list[Score]] = {score.identity.protocol: [] for score in (*scores, *fresh)}
    for name in of:
        before, new = ([score for score in each if score.identity.protocol == name] for each in (scores, fresh))
        of[name] = _renewed(before, new) if new else before
    return tuple(score for each in of.values() for score in each)


def _beside(scores: Sequence[Score], others: Sequence[Score]) -> tuple[Score, ...]:
    """The scores, and after them those of other names and identities."""
    known = {(score.name, score.identity.key) for score in scores}
    return (*scores, *(each for each in others if (each.name, each.identity.key) not in known))


def _renewed(before: Sequence[Score], fresh: Sequence[Score]) -> list[Score]:
    """One protocol's scores: those that stay in their places among the fresh ones."""
    new = {(score.name, score.identity.ema): score for score in fresh}
    names = {score.name for score in fresh}
    if all(score.added for score in fresh):  # its own stay as well
        placed = [new.pop((score.name, score.identity.ema), score) for score in before]
        return [*(score for score in placed if score.name not in names or score in fresh), *new.values()]
    return [*fresh, *(score for score in before if score.added and score.name not in names)]


def read(model: type[M], raw: bytes) -> M:
    """`parse` of a file's content, at once where it is of this version and plain.

    Raises BadRecord, and what `genbench.records.reading.payload` raises for what isn't JSON.
    """
    if reading.is_plain(raw):
        with suppress(ValidationError):  # of which `parse` tells more
            made = model.model_validate_json(raw)
            if getattr(made, "schema_version", SCHEMA_VERSION) == SCHEMA_VERSION:
                return made
    return parse(model, reading.parsed(raw))


def parse(model: type[M], payload: Any) -> M:
    """Reads a stored payload into `model`, migrating it from a past schema where it has any; raises BadRecord."""
    if "schema_version" not in model.model_fields:
        return _validated(model, payload)
    if not isinstance(payload, dict) or "schema_version" not in payload:
        raise BadRecord("not a genbench file: it has no schema_version")
    version = payload["schema_version"]
    if not isinstance(version, int) or version < 1:
        raise BadRecord(f"its schema version {version!r} is none")
    if version > SCHEMA_VERSION:
        raise BadRecord(f"made by a newer genbench (schema {version}, this one reads {SCHEMA_VERSION}): upgrade")
    while version < SCHEMA_VERSION:
        payload = MIGRATIONS[version](payload)
        version = payload["schema_version"]
    return _validated(model, payload)


def _validated(model: type[M], payload: Any) -> M:
    try:
        return model.model_validate(payload)
    except ValidationError as error:
        first = error.errors()[0]
        raise BadRecord(f"{'.'.join(map(str, first['loc']))}: {first['msg'].lower()}") from None
