"""The report page: one file that works from a disk, offline, and asks nothing of any host."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from markupsafe import Markup

from genbench import __version__
from genbench.registry import panels
from genbench.report.page import sections as own
from genbench.report.page.content import Content
from genbench.report.page.render import template

HERE = Path(__file__).parent


def page(contents: Sequence[Content]) -> str:
    """The page of some suites' results: an HTML document.

    Sections are the registered panels, in their order; one that has nothing to say of a suite is left out.
    """
    assert own, "imported for the panels that it registers"
    sections = [
        {
            "suite": content.suite,
            "panels": [
                {"name": entry.name, "title": entry.title, "html": Markup(html)}
                for entry in panels
                if (html := entry.build(content))
            ],
        }
        for content in contents
    ]
    assets = {name: Markup((HERE / name).read_text(encoding="utf-8")) for name in ("page.css", "page.js")}
    return template("page.html").render(
        sections=sections,
        style=assets["page.css"],
        script=assets["page.js"],
        version=__version__,
        unreadable=list(dict.fromkeys(bad for content in contents for bad in content.store.unreadable)),
    )
