"""Tables in LaTeX, with the rules of booktabs."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from genbench.report.formats.text import LEGEND, headings, notes, standing, texts, title
from genbench.report.model import Row, Table
from genbench.report.sentence import sentence
from genbench.report.verdict import not_told_from_best

PREAMBLE = "% In the preamble: \\usepackage{booktabs}\n"
BOLD = (
    "Bold: of a column's trainers that have letters, the one that most often beats the others and every one that can't "
    "be told from it; nothing is bold in a column without letters."
)
MARKUP = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "$": r"\$",
    "&": r"\&",
    "#": r"\#",
    "_": r"\_",
    "%": r"\%",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    "`": r"\textasciigrave{}",
    '"': "''",
    # After the end of a line these would be taken for its options.
    "[": "{[}",
    "]": "{]}",
    "*": "{*}",
    # Two hyphens would become a dash, and so would a dash that TeX's own fonts lack.
    "--": "-{}-",
    "–": "--",
    "±": r"$\pm$",
    "↑": r"$\uparrow$",
    "↓": r"$\downarrow$",
    "≤": r"$\leq$",
    "≥": r"$\geq$",
    "−": "$-$",
    "λ": r"$\lambda$",
    "…": r"\ldots{}",
}
MARKED = re.compile("|".join(re.escape(text) for text in sorted(MARKUP, key=len, reverse=True)))


def latex(tables: Sequence[Table]) -> str:
    """The tables as floats of LaTeX, a tabular each; the legend and the rule of bold are in the caption."""
    return "\n".join([PREAMBLE, *("\n".join(_float(table)) + "\n" for table in tables)])


def escaped(text: str) -> str:
    """Any text as LaTeX that prints it, on one line."""
    return MARKED.sub(lambda match: MARKUP[match[0]], " ".join(text.split()))


def _float(table: Table) -> Iterator[str]:
    yield r"\begin{table}"
    yield r"\centering\footnotesize\setlength{\tabcolsep}{4pt}"
    yield f"\\caption{{{escaped(f'{title(table)}. {sentence(table)} {LEGEND} {BOLD}')}}}"
    yield f"\\begin{{tabular}}{{ll{'r' * len(table.columns)}}}"
    yield r"\toprule"
    yield _line(["", "", *map(escaped, headings(table))])
    bold = [not_told_from_best(table, column) for column in table.columns]
    before = None
    for row in table.rows:
        if row.kind != before:
            yield r"\midrule"
        yield _line([escaped(row.label), escaped(standing(row)), *_numbers(table, row, bold)])
        before = row.kind
    yield r"\bottomrule"
    yield r"\end{tabular}"
    for note in notes(table):
        yield f"\\par {escaped(note)}"
    yield r"\end{table}"


def _numbers(table: Table, row: Row, bold: Sequence[frozenset[str]]) -> Iterator[str]:
    for text, labels in zip(texts(table, row), bold, strict=True):
        # A hyphen before a digit is a minus, in an exponent too.
        number = escaped(re.sub(r"-(?=\d)", "−", str(text)))
        yield f"\\textbf{{{number}}}" if row.kind == "trainer" and row.label in labels else number


def _line(cells: Sequence[str]) -> str:
    return " & ".join(cells) + r" \\"
