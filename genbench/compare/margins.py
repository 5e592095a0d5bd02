"""The grammar of `--fail-on`: which metric, which way is worse, and by how much it may be."""

from __future__ import annotations

import re
from dataclasses import dataclass

from genbench.errors import BadParameter
from genbench.report.model import Column

GRAMMAR = re.compile(r"(?P<metric>[^:+%\s]+)(?::(?P<sign>[+-])(?P<amount>\d+(?:\.\d*)?(?:e-?\d+)?)(?P<percent>%?))?")
EXAMPLE = (
    "Write METRIC for any significant worsening, or METRIC:SIGN AMOUNT for one beyond a margin, the sign being the way "
    "that is worse: --fail-on reverse_kl, --fail-on reverse_kl:+10%, --fail-on hq:-0.05"
)


@dataclass(frozen=True)
class Margin:
    """How far a metric may worsen: by `amount` in the metric's unit, or of the first side's median where `relative`.

    `sign` is 1 where going up is worse, -1 where going down is, None where the metric's own direction says so.
    """

    text: str
    metric: str
    sign: int | None = None
    amount: float = 0.0
    relative: bool = False

    @classmethod
    def parse(cls, text: str) -> Margin:
        """Reads `reverse_kl`, `reverse_kl:+10%` or `hq:-0.05`; raises BadParameter for anything else."""
        match = GRAMMAR.fullmatch(text.strip())
        if match is None:
            raise BadParameter(f"{text!r} is no --fail-on. {EXAMPLE}")
        if match["sign"] is None:
            return cls(text, match["metric"])
        relative = bool(match["percent"])
        amount = float(match["amount"]) / (100 if relative else 1)
        return cls(text, match["metric"], 1 if match["sign"] == "+" else -1, amount, relative)

    def check(self, column: Column) -> None:
        """Raises BadParameter where the sign is that of an improvement."""
        if self.sign is None or column.higher_is_better is None:
            return
        if (self.sign > 0) is column.higher_is_better:
            way, sign = ("higher", "-") if column.higher_is_better else ("lower", "+")
            amount = f"{self.amount * (100 if self.relative else 1):.12g}{'%' if self.relative else ''}"
            raise BadParameter(
                f"--fail-on {self.text}: {self.metric} is better when {way}, so this would fail on an improvement. "
                f"Write --fail-on {self.metric}:{sign}{amount}"
            )

    def allowed(self, before: float) -> float:
        """The worsening that is still allowed, in the metric's unit, where the first side's median is `before`."""
        return self.amount * abs(before) if self.relative else self.amount
