"""Writes every table of the README and of docs/ anew from the committed records, between the marks that name its suite.

Run it from the repository's root:

    python results/tables.py
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

from genbench.records.store import Store
from genbench.report.content import Content
from genbench.report.formats import markdown

ROOT = Path(__file__).parent.parent
REFERENCE = Store(ROOT / "results" / "reference")


@cache
def content(suite: str) -> Content:
    """A suite's committed results."""
    return Content(REFERENCE, suite)


def table(suite: str) -> str:
    """What `genbench report results/reference --suite SUITE --format md` prints, of the suite's first protocol."""
    return markdown([each.headline() for each in content(suite).main]).strip()


def marked(suite: str) -> str:
    """The same between its marks."""
    return f"<!-- table {suite} -->\n{table(suite)}\n<!-- /table -->"


def renewed(text: str) -> str:
    """A page with all of its tables as the records have them."""
    return re.sub(r"<!-- table (\S+) -->\n.*?<!-- /table -->", lambda found: marked(found[1]), text, flags=re.DOTALL)


def main() -> None:
    for page in (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))):
        text = page.read_text(encoding="utf-8")
        page.write_text(renewed(text), encoding="utf-8")


if __name__ == "__main__":
    main()
