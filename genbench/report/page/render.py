"""From templates to HTML: everything that came from a record is escaped."""

from __future__ import annotations

import base64
import re
from functools import cache
from pathlib import PurePath
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, Template
from markupsafe import Markup
from matplotlib.figure import Figure

from genbench.report.figures.style import Picture, svg
from genbench.report.formats.text import number

TYPES = {".png": "image/png", ".webp": "image/webp"}


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("genbench.report.page"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals["zip"] = zip
    environment.filters.update(
        number=number, count=count, anchor=anchor, prose=prose, breakable=breakable, picture=picture
    )
    return environment


def template(name: str) -> Template:
    """A template of the page."""
    return _environment().get_template(name)


def count(value: float) -> str:
    """A number of steps or seconds, `12,000` or `23.9`."""
    return f"{value:,.0f}" if value >= 1000 else f"{value:.3g}"


def anchor(*parts: Any) -> str:
    """What a permalink goes by: letters, digits and hyphens."""
    return re.sub(r"[^A-Za-z0-9]+", "-", "-".join(map(str, parts))).strip("-").lower()


def prose(text: str) -> Markup:
    """A docstring's paragraph: what stands between backticks is code."""
    return Markup(re.sub(r"`([^`]+)`", r"<code>\1</code>", str(Markup.escape(text))))


def breakable(label: str) -> Markup:
    """A label that may go on in a new line after each parameter."""
    return Markup(str(Markup.escape(label)).replace(",", ",<wbr>"))


def picture(of: Picture, prefix: str) -> Markup:
    """A picture within the page: a figure as SVG, and what is made of pixels as an image that waits to be seen."""
    if isinstance(of.art, Figure):
        drawing = svg(of.art, anchor(prefix, of.name))
        return Markup(drawing.replace("<svg ", f'<svg role="img" aria-label="{Markup.escape(of.caption)}" ', 1))
    content = base64.b64encode(of.art.encoded()).decode()
    return Markup(
        f'<img loading="lazy" decoding="async" alt="{Markup.escape(of.caption)}" '
        f'src="data:{TYPES[PurePath(of.name).suffix]};base64,{content}">'
    )
