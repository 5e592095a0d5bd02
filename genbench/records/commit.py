"""What a trial leaves in its folder, so that a cut at any moment loses nothing that was finished.

While it is under way that is its checkpoint, at the end everything else, the record last.
"""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from genbench.records import atomic, process, reading
from genbench.records.layout import CHECKPOINT, RECORD, SAMPLES, SCORES, TRACEBACK, WEIGHTS
from genbench.records.record import Record, Scores

if TYPE_CHECKING:
    import pandas as pd
    from torch import Tensor


def commit(
    folder: Path,
    record: Record,
    scores: Scores | None = None,
    tables: Mapping[str, pd.DataFrame] | None = None,
    samples: Mapping[str, Tensor] | None = None,
    weights: Mapping[str, Tensor] | None = None,
    traceback: str | None = None,
) -> Record:
    """Writes a trial that has ended, its record last, and takes away what an earlier failure left.

    Its checkpoint goes as well where it ended well or left the finite numbers; any other may go on from it, once what
    it failed of is mended. Returns the record as written.
    """
    from safetensors.torch import save

    files: dict[str, bytes] = {}
    for name, table in (tables or {}).items():
        files[name] = _parquet_bytes(table)
    for name, tensors in ((SAMPLES, samples), (WEIGHTS, weights)):
        if tensors is not None:
            files[name] = save({key: value.detach().cpu().contiguous() for key, value in tensors.items()})
    if traceback is not None:
        files[TRACEBACK] = traceback.encode()
    hashes = {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}
    record = record.model_copy(update={"files": hashes})
    with _without_record(folder):
        if scores is not None:
            atomic.write_model(folder / SCORES, scores)
        for name, content in files.items():
            atomic.write_atomically(folder / name, content)
        atomic.write_model(folder / RECORD, record)
    settled = record.status in ("done", "diverged")
    for name in (*([CHECKPOINT] if settled else []), *([TRACEBACK] if traceback is None else [])):
        (folder / name).unlink(missing_ok=True)
    return record


@contextmanager
def _without_record(folder: Path) -> Iterator[None]:
    """Within, files are written that belong to no earlier record: it is out of the way, and back where that fails."""
    before = folder / f".before-{RECORD}.{process.here()}{atomic.UNFINISHED}"
    with suppress(FileNotFoundError):
        (folder / RECORD).replace(before)
    try:
        yield
    except BaseException:
        with suppress(FileNotFoundError):
            before.replace(folder / RECORD)
        raise
    before.unlink(missing_ok=True)


def save_checkpoint(folder: Path, tensors: Mapping[str, Tensor], facts: Mapping[str, Any]) -> None:
    """Keeps an unfinished trial's state: tensors, and whatever JSON can hold."""
    from safetensors.torch import save

    content = save(
        {key: value.detach().cpu().contiguous().clone() for key, value in tensors.items()},
        metadata={"facts": json.dumps(facts)},
    )
    atomic.write_atomically(folder / CHECKPOINT, content)


def load_checkpoint(folder: Path) -> tuple[dict[str, Tensor], dict[str, Any]] | None:
    """An unfinished trial's state; None where there is none, or none that can be read.

    One beside the record of a trial that is done is what a kill left of it, and no beginning of the next.
    """
    from safetensors import SafetensorError, safe_open

    if is_done(folder):
        return None
    try:
        reading.check(folder / CHECKPOINT)
        with safe_open(folder / CHECKPOINT, framework="pt") as file:
            tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118 (not a mapping)
            facts = json.loads(file.metadata()["facts"])
    except (OSError, SafetensorError, KeyError, TypeError, ValueError, RecursionError):
        return None
    return (tensors, facts) if isinstance(facts, dict) else None


def is_done(folder: Path) -> bool:
    """Whether a trial's folder holds the record of one that ended well."""
    try:
        return bool(reading.payload(folder / RECORD)["status"] == "done")
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return False


def _parquet_bytes(frame: pd.DataFrame) -> bytes:
    buffer = io.BytesIO()
    frame.to_parquet(buffer, index=False)
    return buffer.getvalue()
