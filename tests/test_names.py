"""One meaning a name, and no data in a label: what of it can be read off the source."""

import ast
from collections import defaultdict
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "genbench"
CUTTING = {
    "split", "rsplit", "partition", "rpartition", "splitlines", "startswith", "endswith", "removeprefix",
    "removesuffix", "find", "rfind", "rindex",
}  # fmt: skip
MARKUP = {
    "cards.card": "paragraphs of a docstring",
    "curves._lines": "numpy's, of an array",
    "frame.facts": "which kind of source a record names",
    "latex._numbers": "a hyphen that LaTeX would print as one is a minus",
    "latex.escaped": "lines are joined",
    "markdown._escaped": "lines are joined",
    "margins.parse": "what people type after --fail-on",
    "model.extractor": "identities join an extractor's name and its hash",
    "names._natural": "the order of names, with numbers by their size",
    "published.printed": "the lines of a file",
    "render.anchor": "ids of a page",
    "render.prose": "backticks are code",
    "stored._note": "an error's first line",
    "stored.networks_of": "columns of a stored file",
    "style.svg": "ids of a drawing",
    "csv_._plain": "what begins a formula",
    "guard.may_fail": "an error's own words, on one line",
}
"""The functions of the rooms that read a text all the same: no label, or none for what it says."""


def sources(*rooms: str) -> dict[str, ast.Module]:
    paths = [path for room in rooms for path in sorted((PACKAGE / room).rglob("*.py"))]
    return {str(path.relative_to(PACKAGE)): ast.parse(path.read_text(encoding="utf-8")) for path in paths}


def cuts(tree: ast.Module, name: str) -> set[str]:
    """The functions that cut a text, or look for a pattern in one."""
    return {
        f"{name}.{function.name}"
        for function in ast.walk(tree)
        if isinstance(function, ast.FunctionDef)
        for node in ast.walk(function)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
        if node.func.attr in CUTTING or node.func.attr == "fullmatch" or ast.unparse(node.func.value) == "re"
    }


def test_no_class_has_the_name_of_another():
    places = defaultdict(list)
    for path, tree in sources(".").items():
        for node in ast.walk(tree):
            if isinstance(node, ast.ClassDef):
                places[node.name].append(path)
    assert {name: of for name, of in places.items() if len(of) > 1} == {}


def test_reports_and_comparisons_read_no_data_out_of_texts():
    cutting = [cuts(tree, Path(path).stem) for path, tree in sources("report", "compare").items()]
    assert set().union(*cutting) == MARKUP.keys()


@pytest.mark.parametrize(
    "text",
    [
        "label.partition('[')[0]",
        "note.startswith('Some values')",
        "re.match('(.*), EMA', label)",
        "GRAMMAR.fullmatch(label)",
        "[text.split(' ', 1) for text in texts]",
    ],
)
def test_data_read_out_of_a_label_is_seen(text):
    assert cuts(ast.parse(f"def trainer_of(label):\n    return {text}"), "table") == {"table.trainer_of"}
