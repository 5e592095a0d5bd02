"""The report page: one file that works from a disk, offline, and asks nothing of any host."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from markupsafe import Markup

from genbench import __version__
from genbench.errors import GenbenchError
from genbench.records.store import Store
from genbench.registry import PanelEntry, panels
from genbench.report.content import Content
from genbench.report.page.render import template

HERE = Path(__file__).parent


def page(contents: Sequence[Content]) -> str:
    """The page of some suites' results: an HTML document.

    Sections are the registered panels, genbench's own first; one that has nothing to say of a suite is left out, and of
    one that can't be made, the reason stands in its place.
    """
    sections = [
        {
            "suite": content.suite,
            "panels": [
                {"name": entry.name, "title": entry.title, "html": Markup(html)}
                for entry in sorted(panels, key=lambda entry: not entry.is_own)
                if (html := _made(entry, content))
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
        left_out=list(dict.fromkeys(each for content in contents for each in _left_out(content.store))),
    )


def _left_out(store: Store) -> Iterator[tuple[Path, str]]:
    """Files and folders that count for nothing, and why."""
    yield from store.unreadable
    yield from ((copied.path, f"a copy of {copied.of}") for copied in store.copies.values())


def _made(entry: PanelEntry, content: Content) -> str:
    """A panel's HTML; of one that can't be made, a paragraph that says why."""
    try:
        html = entry.build(content)
        if not isinstance(html, str):
            raise GenbenchError(
                f"it gave {html!r}, and a panel gives HTML, or an empty text where it has nothing to say"
            )
        return html
    except Exception as error:  # whatever a stranger's panel raises, the others are shown
        said = str(error) if isinstance(error, GenbenchError) else f"{type(error).__name__}: {error}"
        return template("broken.html").render(reason=said, origin=entry.origin)
