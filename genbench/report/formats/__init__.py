"""One table model, a file a format: what differs between them is markup, never a number."""

from collections.abc import Callable, Mapping, Sequence

from genbench.report.formats.csv_ import comma_separated
from genbench.report.formats.json_ import as_json
from genbench.report.formats.latex import latex
from genbench.report.formats.markdown import markdown
from genbench.report.formats.parquet import parquet
from genbench.report.formats.terminal import terminal
from genbench.report.formats.text import LEGEND, number
from genbench.report.model import Table

WRITTEN: Mapping[str, Callable[[Sequence[Table]], str | bytes]] = {
    "md": markdown,
    "csv": comma_separated,
    "json": as_json,
    "latex": latex,
    "parquet": parquet,
}
"""What makes a file's content, by the name of its format."""

__all__ = [
    "LEGEND", "WRITTEN", "as_json", "comma_separated", "latex", "markdown", "number", "parquet", "terminal",
]  # fmt: skip
