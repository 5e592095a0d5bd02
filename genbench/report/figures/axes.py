"""What stands at an axis along which a metric is drawn, and on which scale: by the metric that is behind it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from matplotlib.ticker import FuncFormatter, LogLocator

from genbench.references import Reference
from genbench.registry import metrics
from genbench.report.model import Column
from genbench.scoring.protocols import Protocol

if TYPE_CHECKING:
    import matplotlib.axis

WORDS = {
    "modes": "modes captured",
    "class_modes": "modes (classes) captured",
    "hq": "HQ samples",
    "image_hq": "HQ samples",
    "reverse_kl": "reverse KL",
    "class_reverse_kl": "reverse KL",
    "arc_coverage": "arc covered",
    "curve_distance": "distance to curve",
    "sliced_w2": "sliced W2",
    "confident": "confident samples",
    "fd": "Fréchet distance",
    "kd": "kernel distance",
    "image_precision": "precision",
    "precision": "precision",
    "image_recall": "recall",
    "recall": "recall",
    "image_density": "density",
    "density": "density",
    "image_coverage": "coverage",
    "coverage": "coverage",
}
"""What metrics are called in figures, in the order of their panels."""

COLUMNS = {"modes_any": "modes hit by any sample", "fid": "FID", "kid": "KID"}
"""What columns are called that have a name of their own beside their metric's."""

WIDTH = 25
"""Characters of a line that has room beside a panel, or beneath one."""

DISTANCES = ("fd", "kd")
"""Between sets of images, in an extractor's features; they often span less than a power of ten."""

LOGARITHMIC = ("reverse_kl", "class_reverse_kl", "sliced_w2", "curve_distance", *DISTANCES)


class Axis(NamedTuple):
    """A column of curves or of a table as figures show it; `metric` is None where nobody knows what is behind it."""

    column: str
    metric: str | None = None
    unit: str = ""
    extractor: str | None = None

    @classmethod
    def of(cls, column: Column) -> Axis:
        """That of a table's column."""
        return cls(column.name, column.identity.metric, column.unit, column.extractor)

    @classmethod
    def along(cls, name: str, protocol: Protocol | None) -> Axis:
        """That of a curve's column, scored under a protocol."""
        if protocol is None or name not in protocol.columns:
            return cls(name)
        reference = Reference.parse(protocol.columns[name])
        extractor = reference.parameters.get("extractor")
        return cls(name, reference.name, metrics[reference.name].unit, str(extractor) if extractor else None)

    @property
    def label(self) -> str:
        """What is drawn, with its unit, in one line or two; of a distance between features, also whose they are."""
        words = COLUMNS.get(self.column) or WORDS.get(str(self.metric)) or self.column.replace("_", " ")
        features = self.extractor if self.is_distance and self.column not in COLUMNS else None
        units = ", ".join(filter(None, (self.unit or "no unit", features)))
        if self.unit and self.unit in words:
            return words
        return f"{words}{' ' if len(words) + len(units) + 3 <= WIDTH else chr(10)}({units})"

    @property
    def is_distance(self) -> bool:
        """Whether it is a distance between sets of images."""
        return self.metric in DISTANCES

    @property
    def is_logarithmic(self) -> bool:
        """Whether its values vary by factors."""
        return self.metric in LOGARITHMIC

    @property
    def place(self) -> int:
        """Its place among the panels; what has none of its own comes last."""
        return [*WORDS].index(self.metric) if self.metric in WORDS else len(WORDS)


def number_within_decades(axis: matplotlib.axis.Axis) -> None:
    """Numbers more than the powers of ten of a logarithmic axis that spans less than two decades and is drawn on."""
    low, high = axis.get_view_interval()
    if high < 100 * low:
        axis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
