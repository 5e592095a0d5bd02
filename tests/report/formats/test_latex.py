"""LaTeX: nothing of a label or reason is taken for markup, and bold says what its caption says."""

import re
from dataclasses import replace

import pytest
from made_up_tables import EVERYTHING, ODD, cells, table

from genbench.report.formats import latex
from genbench.report.formats.latex import BOLD, escaped
from genbench.report.model import Row
from genbench.report.verdict import judged

GOOD, BAD = (0.01, 0.02, 0.015, 0.03, 0.012), (2.0, 2.5, 2.2, 1.9, 3.0)


def row_of(text, label):
    (line,) = [line for line in text.splitlines() if line.startswith(f"{label} & ")]
    return line.removesuffix(r" \\").split(" & ")


@pytest.mark.parametrize(
    ("text", "markup"),
    [
        ("a_b & c", r"a\_b \& c"),
        ("100 % #1 $x$", r"100 \% \#1 \$x\$"),
        ("{x}", r"\{x\}"),
        ("\\input{x}", r"\textbackslash{}input\{x\}"),
        ("~^", r"\textasciitilde{}\textasciicircum{}"),
        ("a|b <c>", r"a\textbar{}b \textless{}c\textgreater{}"),
        ("gan[loss=a]*", "gan{[}loss=a{]}{*}"),
        ("--out", "-{}-out"),
        ("p ≤ 0.1, ≥ 2", r"p $\leq$ 0.1, $\geq$ 2"),
        ("one\n\ntwo", "one two"),
    ],
)
def test_whatever_means_something_to_latex_is_escaped(text, markup):
    assert escaped(text) == markup


def test_label_and_reason_full_of_markup_leave_the_table_whole():
    label = rf"{ODD} 50 % of $x_1$ & \begin{{table}} #"
    text = latex([table(Row("trainer", label, cells(modes=(8.0,)), 1, 2, (f"{label}: crashed: }}\n\n\\\\ %",)))])
    body = "\n".join(line for line in text.splitlines() if not line.startswith("% "))
    unescaped = re.sub(r"\\[\\{}$&#_%]", "", body)
    assert unescaped.count("{") == unescaped.count("}")
    assert "%" not in unescaped
    assert "#" not in unescaped
    assert body.count(r"\begin{") == body.count(r"\end{") == 2
    assert {len(re.findall(r"(?<!\\)&", line)) for line in body.splitlines() if line.endswith(r"\\")} == {4}


def test_lines_end_before_nothing_that_would_be_their_option():
    text = latex([table(Row("trainer", "[b]", cells(modes=(8.0,)), 1, 1), Row("trainer", "*", {}, 0, 1))])
    assert not re.search(r"\\\\\s*[\[*]", text)


def test_rules_are_those_of_booktabs_between_kinds_of_rows():
    lines = latex([EVERYTHING]).splitlines()
    assert lines[0] == r"% In the preamble: \usepackage{booktabs}"
    rules = [line for line in lines if line.endswith("rule")]
    kinds = len({row.kind for row in EVERYTHING.rows})
    assert rules == [r"\toprule", *[r"\midrule"] * kinds, r"\bottomrule"]
    assert r"\hline" not in "".join(lines)


def test_minus_is_a_minus_and_a_range_is_none():
    text = latex([EVERYTHING])
    assert row_of(text, "wgan")[-1] == "$-$0.5 (1/5)"
    assert row_of(text, "gaussian")[3] == r"1.7e$-$05 (all)"
    assert row_of(text, "null band")[3] == "0.0003 to 0.0029"


def test_best_and_all_that_cannot_be_told_from_it_are_bold():
    rows = [Row("trainer", label, cells(reverse_kl=of), 5, 5) for label, of in
            (("gan", BAD), ("wgan", (*GOOD[:4], 0.3)), ("wgan-gp", GOOD))]  # fmt: skip
    rows.append(Row("control", "oracle", cells(reverse_kl=(0.0, 0.0)), 2, 2))
    text = latex(judged([table(*rows, columns=["reverse_kl"])]))
    bold = {label: row_of(text, label)[2].startswith(r"\textbf{") for label in ("gan", "wgan", "wgan-gp", "oracle")}
    assert bold == {"gan": False, "wgan": True, "wgan-gp": True, "oracle": False}
    assert escaped(BOLD) in text


def test_nothing_is_bold_without_letters():
    few = [Row("trainer", label, cells(reverse_kl=of[:3]), 3, 3) for label, of in (("gan", BAD), ("wgan", GOOD))]
    assert r"\textbf" not in latex(judged([table(*few, columns=["reverse_kl"])]))


def test_tables_are_floats_of_their_own():
    text = latex([EVERYTHING, replace(EVERYTHING, dataset="grid25")])
    assert text.count(r"\begin{table}") == text.count(r"\end{table}") == 2
    assert text.index("ring8, steps") < text.index("grid25, steps")
    assert latex([]).strip() == r"% In the preamble: \usepackage{booktabs}"
