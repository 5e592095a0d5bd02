"""The first file of a thing of one's own, its test, and the lines that make it part of a package."""

from __future__ import annotations

import re
from importlib.resources import files
from keyword import iskeyword
from pathlib import Path
from string import Template
from typing import Literal, NamedTuple

from genbench.errors import GenbenchError
from genbench.registry import NAME

Kind = Literal["trainer", "dataset", "metric", "suite", "protocol"]


class Written(NamedTuple):
    """The files that were written, and what to do with them, line by line."""

    file: Path
    test: Path
    next_steps: list[str]


def write(kind: Kind, name: str, folder: Path) -> Written:
    """Writes the file that registers `name` and its test into `folder`, which is made if there is none.

    Raises GenbenchError for a name that can't be one, and where a file of that name is there already.
    """
    module = re.sub(r"[-.]", "_", name)
    if NAME.fullmatch(name) is None or not module.isidentifier() or iskeyword(module):
        raise GenbenchError(f"{name!r} can't name a {kind}: use a-z, 0-9, '-', '_' and '.', a letter first.")
    file, test = folder / f"{module}.py", folder / f"test_{module}.py"
    for path in (file, test):
        if path.exists():
            raise GenbenchError(f"{path} is there already. Give another name, or another folder: --out DIR")
    words = {"name": name, "module": module, "title": "".join(word.title() for word in module.split("_"))}
    folder.mkdir(parents=True, exist_ok=True)
    file.write_text(_filled(kind, words), encoding="utf-8")
    test.write_text(_filled("test", words), encoding="utf-8")
    return Written(file, test, _next_steps(kind, name, module, file, test))


def _filled(template: str, words: dict[str, str]) -> str:
    text = files("genbench.contract").joinpath("templates", f"{template}.txt").read_text(encoding="utf-8")
    return Template(text).substitute(words)


def _next_steps(kind: Kind, name: str, module: str, file: Path, test: Path) -> list[str]:
    use = {
        "trainer": f"genbench run --suite toy2d --trainer gan,{name} --plugin {file}",
        "dataset": f"genbench run --suite toy2d --dataset {name} --plugin {file}",
        "metric": f"genbench show {name} --plugin {file}",
        "suite": f"genbench run --suite {name} --dry-run --plugin {file}",
        "protocol": f"genbench show {name} --plugin {file}",
    }
    timing = [f"  genbench time {name} --plugin {file}"] if kind == "trainer" else []
    return [
        "To check, test and use it:",
        f"  genbench check {name} --plugin {file}",
        f"  pytest {test}",
        *timing,
        f"  {use[kind]}",
        "",
        "To have it found without --plugin, put it into a package, with these lines in",
        "its pyproject.toml:",
        '  [project.entry-points."genbench.plugins"]',
        f'  {module} = "{module}"',
    ]
