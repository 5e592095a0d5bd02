"""The catalogue of the page's panels, in their order; what draws them waits until a page is made."""

from __future__ import annotations

from typing import TYPE_CHECKING

from genbench.registry import panels

if TYPE_CHECKING:
    from genbench.report.content import Content

panel = panels.register


@panel("verdict", title="Verdict")
def verdict(content: Content) -> str:
    """A sentence a dataset: who is best by the protocol's deciding column, and whether that can be told."""
    from genbench.report.page import sections

    return sections.verdict(content)


@panel("overall", title="Across datasets")
def across(content: Content) -> str:
    """Interquartile means between noise and the truth, ranks, odds and a performance profile; of several datasets."""
    from genbench.report.page import sections

    return sections.across(content)


@panel("tables", title="Tables")
def tables(content: Content) -> str:
    """Every protocol's tables, which can be sorted and filtered."""
    from genbench.report.page import sections

    return sections.tables(content)


@panel("literature", title="Against the literature")
def literature(content: Content) -> str:
    """Published numbers beside ours, and which change moves which number, where a suite holds one against the other."""
    from genbench.report.page import sections

    return sections.literature(content)


@panel("scores", title="Every seed")
def scores(content: Content) -> str:
    """All scores behind the first protocol's tables, with controls and null bands."""
    from genbench.report.page import sections

    return sections.scores(content)


@panel("curves", title="Along training")
def along(content: Content) -> str:
    """Metrics and losses along training."""
    from genbench.report.page import sections

    return sections.along(content)


@panel("budgets", title="At equal what?")
def equal(content: Content) -> str:
    """Rankings at equal steps, updates, samples and seconds, where they are fair, and how soon targets are reached."""
    from genbench.report.page import sections

    return sections.equal(content)


@panel("pictures", title="Samples")
def pictures(content: Content) -> str:
    """Landscapes, strips, films and galleries."""
    from genbench.report.page import sections

    return sections.pictures(content)


@panel("metrics", title="What the metrics say")
def cards(content: Content) -> str:
    """A card for each metric of the first protocol's tables."""
    from genbench.report.page import sections

    return sections.cards(content)


@panel("trials", title="Trials")
def trials(content: Content) -> str:
    """Which trials are done, which failed and why."""
    from genbench.report.page import sections

    return sections.trials(content)


@panel("provenance", title="Where it comes from")
def provenance(content: Content) -> str:
    """The commands that make these records again, and what made them."""
    from genbench.report.page import sections

    return sections.provenance(content)
