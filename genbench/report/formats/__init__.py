"""One table model, a file a format: what differs between them is markup, never a number."""

from genbench.report.formats.csv_ import comma_separated
from genbench.report.formats.json_ import as_json
from genbench.report.formats.markdown import markdown
from genbench.report.formats.terminal import terminal
from genbench.report.formats.text import LEGEND, number

__all__ = ["LEGEND", "as_json", "comma_separated", "markdown", "number", "terminal"]
