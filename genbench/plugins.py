"""The door through which everything registered enters: entry points, and files or modules that the user names.

A thing from a plugin carries its source: what it makes by another source is another thing's result.
"""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import inspect
import json
import os
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from importlib.machinery import SourceFileLoader
from importlib.metadata import Distribution
from pathlib import Path
from types import CodeType
from typing import Any

from genbench.errors import GenbenchError

ENTRY_POINT_GROUP = "genbench.plugins"


NUMPYS_ERRORS = {"divide": "warn", "over": "warn", "under": "ignore", "invalid": "warn"}
"""What NumPy does about errors of floating point unless it is told otherwise."""


@dataclass(frozen=True)
class BrokenPlugin:
    """A plugin whose import failed: listed, never fatal."""

    name: str
    error: str


broken_plugins: list[BrokenPlugin] = []
_loaded: set[str] = set()
Source = dict[str, str]
"""What stands behind a plugin's thing: `{"my-package": "1.2"}` or `{"sha256": "…"}`; nothing behind genbench's own."""

_distributions: dict[str, Source] = {}
"""The installed distribution behind a top-level module."""


def load_plugins() -> None:
    """Imports every entry point of the group `genbench.plugins`, once."""
    if ENTRY_POINT_GROUP in _loaded:
        return
    _loaded.add(ENTRY_POINT_GROUP)
    from importlib.metadata import entry_points

    for point in entry_points(group=ENTRY_POINT_GROUP):
        if point.dist is not None and not _is_editable(point.dist):
            _distributions[_top(point.module)] = {point.dist.name: point.dist.version}
        try:
            with left_alone():
                point.load()
        except (Exception, SystemExit) as error:  # whatever a stranger's module raises, the rest still works
            broken_plugins.append(BrokenPlugin(point.name, f"{type(error).__name__}: {error}"))


def load_plugin(source: str) -> None:
    """Imports one plugin that the user named: a path to a `.py` file, or a module. Raises GenbenchError."""
    load_plugins()
    is_file = source.endswith(".py")
    key = str(Path(source).resolve()) if is_file else source
    if key in _loaded:
        return
    try:
        with left_alone():
            if is_file:
                _import_file(Path(key))
            else:
                importlib.import_module(source)
    except GenbenchError as error:
        raise GenbenchError(f"Plugin {source}: {error}") from error
    except (Exception, SystemExit) as error:
        raise GenbenchError(f"Plugin {source} failed to load: {type(error).__name__}: {error}") from error
    _loaded.add(key)


@contextmanager
def left_alone() -> Iterator[None]:
    """Within, a stranger's code may change what the whole process shares; afterwards that is as before.

    It is the working folder, the mask of new files' modes, the filters of warnings, the limit of recursion, and what
    NumPy does about errors of floating point.
    """
    try:
        folder = Path.cwd()
    except FileNotFoundError:  # somebody has removed it
        folder = None
    mask = os.umask(0)
    os.umask(mask)
    depth = sys.getrecursionlimit()
    errors = _numpys_errors()
    try:
        with warnings.catch_warnings():
            yield
    finally:
        os.umask(mask)
        if folder is not None:
            with suppress(FileNotFoundError):
                os.chdir(folder)
        sys.setrecursionlimit(depth)
        if errors != _numpys_errors():
            sys.modules["numpy"].seterr(**errors)


def _numpys_errors() -> dict[str, str]:
    """What NumPy does about errors, as it is told by default where nobody has imported it."""
    numpy = sys.modules.get("numpy")
    return dict(numpy.geterr()) if numpy is not None else NUMPYS_ERRORS


def is_own(module: str) -> bool:
    """Whether a module is part of genbench, whose things say by their versions what they are."""
    return _top(module) == "genbench"


def source_of(build: Callable[..., Any]) -> Source:
    """What stands behind a function that is registered.

    It is name and version of an installed distribution, and else, as for one that is installed to be edited, the
    SHA-256 of the function's file, or of all Python files of the package that it is part of.
    """
    if is_own(module_of(build)):
        return {}
    top = _top(module_of(build))
    if top in _distributions:
        return _distributions[top]
    package = sys.modules.get(top)
    if isinstance(loader := getattr(package, "__loader__", None), _AsItIs):
        return {"sha256": loader.sha256}
    digest = hashlib.sha256()
    if hasattr(package, "__path__") and (own := getattr(package, "__file__", None)):
        root = Path(own).parent
        for file in sorted(root.rglob("*.py")):
            digest.update(f"{file.relative_to(root).as_posix()}\n".encode())
            digest.update(file.read_bytes())
    elif file_of(build) is not None:
        digest.update(Path(str(file_of(build))).read_bytes())
    else:  # typed in
        digest.update(inspect.getsource(build).encode())
    return {"sha256": digest.hexdigest()}


def file_of(build: Callable[..., Any]) -> str | None:
    """The file of the module that a function was written in; None where it has none."""
    return getattr(sys.modules.get(module_of(build)), "__file__", None)


def module_of(build: Callable[..., Any]) -> str:
    """The module that a function was written in, though it may wrap another's and be called as that one."""
    return str(getattr(build, "__globals__", {}).get("__name__", build.__module__))


def is_behind(build: Callable[..., Any], file: str) -> bool:
    """Whether a file is the one that a function was written in, or of the same package; genbench is no package here."""
    own = file_of(build)
    package = sys.modules.get(_top(module_of(build)))
    root = getattr(package, "__file__", None) if hasattr(package, "__path__") else None
    return file == own or bool(root and not is_own(module_of(build)) and Path(file).is_relative_to(Path(root).parent))


def _top(module: str) -> str:
    return module.partition(".")[0]


def _is_editable(distribution: Distribution) -> bool:
    """Whether a distribution is installed as a link to where it is edited. (PEP 610)"""
    told = distribution.read_text("direct_url.json")
    return bool(told and json.loads(told).get("dir_info", {}).get("editable"))


class _AsItIs(SourceFileLoader):
    """Runs a file as it is now, and remembers what that was.

    Python's own way would run what it compiled before where a file was changed within the same second to the same size.
    """

    sha256 = ""

    def get_code(self, fullname: str) -> CodeType:
        content = self.get_data(self.path)
        self.sha256 = hashlib.sha256(content).hexdigest()
        return self.source_to_code(content, self.path)


def _import_file(path: Path) -> None:
    if not path.is_file():
        raise GenbenchError(f"Plugin {path} is not a file. Give a .py file or the name of an installed module.")
    name = f"genbench_plugin_{path.stem}_{hashlib.sha256(str(path).encode()).hexdigest()[:8]}"
    spec = importlib.util.spec_from_file_location(name, path, loader=_AsItIs(name, str(path)))
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
