"""What processes that were killed left behind in a results folder, and nobody will read any more."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from genbench.records import atomic, beats, process
from genbench.records.atomic import UNFINISHED
from genbench.records.commit import is_done
from genbench.records.layout import CHECKPOINT

LEFT = re.compile(rf"\..+\.([^.]+){re.escape(UNFINISHED)}")


def sweep(root: Path) -> list[Path]:
    """Takes away files that were never finished, and checkpoints of trials that are done; returns what it took.

    What lies elsewhere, behind a link, is left alone.
    """
    gone = (beats.path_of(root, beat.run) for beat in beats.read(root) if beat.is_silent)
    swept = [*_unfinished(root), *gone, *(path for path in root.glob(f"*/*/*/*/{CHECKPOINT}") if is_done(path.parent))]
    own = [path for path in swept if atomic.is_within(root, path.parent)]
    for path in own:
        path.unlink(missing_ok=True)
    return own


def _unfinished(root: Path) -> Iterator[Path]:
    for path in root.rglob(f".*{UNFINISHED}"):
        match = LEFT.fullmatch(path.name)
        if match is not None and process.is_gone(match[1]):
            yield path
