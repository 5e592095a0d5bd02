"""Which files are images: those in a format that Pillow decodes. Imports no torch."""

from __future__ import annotations

from functools import cache

UNREAD = frozenset({"BUFR", "EPS", "GRIB", "HDF5", "IPTC", "MPEG", "WMF"})
"""Formats that Pillow knows and that hold no pixels of their own, or need another program to draw them."""


@cache
def formats() -> dict[str, str]:
    """Pillow's format of each ending, in lower case: `.jpg` is JPEG."""
    from PIL import Image

    return {
        ending: kind
        for ending, kind in Image.registered_extensions().items()
        if kind in Image.OPEN and kind not in UNREAD
    }


@cache
def readable() -> tuple[str, ...]:
    """The names of all formats that are decoded, whatever a file's ending says."""
    return tuple(sorted(set(formats().values())))
