"""Where data lies, and where what was decoded from it is kept."""

from __future__ import annotations

import os
from pathlib import Path

DATA, CACHE = "GENBENCH_DATA", "GENBENCH_CACHE"
"""The environment variables that name the two folders; worker processes inherit them."""


def data_root() -> Path:
    """The folder that holds each dataset's own: GENBENCH_DATA, else `data` in the user's cache."""
    return _folder(DATA, "data")


def cache_root() -> Path:
    """The folder of decoded images: GENBENCH_CACHE, else `images` in the user's cache."""
    return _folder(CACHE, "images")


def weights_root() -> Path:
    """The folder of weights that were fetched: `weights` in the user's cache, or in GENBENCH_CACHE among the images."""
    given = os.environ.get(CACHE)
    return Path(given) / "weights" if given else _in_users_cache("weights")


def _folder(variable: str, name: str) -> Path:
    given = os.environ.get(variable)
    return Path(given) if given else _in_users_cache(name)


def _in_users_cache(name: str) -> Path:
    import platformdirs

    return platformdirs.user_cache_path("genbench", appauthor=False) / name
