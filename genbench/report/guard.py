"""What is stored may be anyone's, and what is wrong with one part of it costs that part alone."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from genbench.errors import GenbenchError
from genbench.records.store import Store, Unreadable


@contextmanager
def may_fail(store: Store, path: Path, what: str) -> Iterator[None]:
    """Within, what can't be made of what lies at `path` is noted beside what can't be read, and left out.

    What a person can mend goes on as GenbenchError or OSError, which say how.
    """
    try:
        yield
    except (GenbenchError, OSError):
        raise
    except Exception as error:
        said = f"{type(error).__name__}: {' '.join(str(error).split())}".removesuffix(": ")
        store.unreadable.append(Unreadable(path, f"{what} can't be made of it ({said})"))
