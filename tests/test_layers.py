"""What no module of genbench may do: import upwards, draw from a global stream, pickle."""

import ast
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parent.parent
LAYERS = (
    (
        "genbench",
        "archives",
        "cores",
        "devices",
        "distances",
        "errors",
        "limits",
        "parameters",
        "plugins",
        "portable",
        "references",
        "registry",
        "seeding",
        "spec",
    ),
    ("records",),
    ("datasets", "features", "networks"),
    ("engine", "metrics", "stats"),
    ("contract", "executors", "scoring", "suites"),
    ("api", "compare", "report", "trials"),
    ("cli",),
)  # fmt: skip
LEVELS = {name: level for level, names in enumerate(LAYERS) for name in names}

PICKLES = {"cloudpickle", "dill", "joblib", "marshal", "pickle", "shelve"}
PICKLING_CALLS = {"torch.save", "torch.load", "np.save", "np.savez", "np.load"}
SAFE = {"torch.load": {"weights_only": True}, "np.load": {"allow_pickle": False}}
"""What a call is to say for what it reads to be no code."""

PICKLING_METHODS = {"read_pickle", "to_pickle"}
SEEDINGS = {"manual_seed", "manual_seed_all", "seed", "seed_all", "set_rng_state"}
DRAWS = {
    "bernoulli", "multinomial", "normal", "poisson", "rand", "rand_like", "randint", "randint_like", "randn",
    "randn_like", "randperm",
}  # fmt: skip
DRAWS_IN_PLACE = {
    "bernoulli_", "cauchy_", "exponential_", "geometric_", "kaiming_normal_", "kaiming_uniform_", "log_normal_",
    "normal_", "orthogonal_", "random_", "trunc_normal_", "uniform_", "xavier_normal_", "xavier_uniform_",
}  # fmt: skip
OWN_STREAMS = {"Generator", "PCG64", "SeedSequence", "default_rng", "RandomState"}


class Module(NamedTuple):
    name: str
    path: Path

    @property
    def tree(self) -> ast.Module:
        return ast.parse(self.path.read_text(encoding="utf-8"))


def modules(folder: str) -> list[Module]:
    paths = sorted((ROOT / folder).rglob("*.py"))
    names = (path.relative_to(ROOT).with_suffix("").parts for path in paths)
    return [
        Module(".".join(name[:-1] if name[-1] == "__init__" else name), path)
        for name, path in zip(names, paths, strict=True)
    ]


ALL = modules("genbench")
BASELINES = [module for module in ALL if module.name.startswith("genbench.baselines")]
GENBENCH = [module for module in ALL if module not in BASELINES]
NAMES = {module.name for module in ALL}


def imports(module: Module) -> Iterator[str]:
    """Every module imported anywhere in `module`: at its top, inside functions, for type checkers alone."""
    package = module.name if module.path.name == "__init__.py" else module.name.rpartition(".")[0]
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package.split(".")[: len(package.split(".")) + 1 - node.level] if node.level else []
            base = ".".join([*above, *filter(None, [node.module])])
            for alias in node.names:
                yield f"{base}.{alias.name}" if f"{base}.{alias.name}" in NAMES else base


def part(module: str) -> str:
    """`executors` for `genbench.executors.pool`, and `genbench` for the package itself."""
    return module.split(".")[1] if "." in module else module


def upward(module: Module) -> list[str]:
    """The imports of `module` that point up."""
    level = LEVELS[part(module.name)]
    own = (name for name in imports(module) if name.partition(".")[0] == "genbench")
    return [name for name in own if part(name) not in LEVELS or LEVELS[part(name)] > level]


def dotted(node: ast.expr) -> str:
    """`torch.nn.init` of the expression that says so; empty for any other."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute) and (before := dotted(node.value)):
        return f"{before}.{node.attr}"
    return ""


def global_draws(tree: ast.AST) -> list[str]:
    """The calls that draw from, or set, a stream which isn't their own."""
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import) and any(alias.name == "random" for alias in node.names):
            found.append("import random")
        if isinstance(node, ast.ImportFrom) and node.module in ("random", "numpy.random", "torch.random"):
            found.append(f"from {node.module} import …")
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
            continue
        owner, name, has_stream = dotted(node.func.value), node.func.attr, "generator" in {k.arg for k in node.keywords}
        if owner in ("np.random", "numpy.random"):
            if name not in OWN_STREAMS or not (node.args or node.keywords):
                found.append(f"{owner}.{name}")
        elif (
            (owner.partition(".")[0] == "torch" and name in SEEDINGS)
            or (owner == "torch" and name in DRAWS and not has_stream)
            or (name in DRAWS_IN_PLACE and not has_stream)
        ):
            found.append(f"{owner}.{name}")
    return found


def pickling(module: Module) -> list[str]:
    """The imports and calls of `module` that write or read pickles."""
    found = [name for name in imports(module) if name.partition(".")[0] in PICKLES]
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            call = dotted(node.func)
            given = {k.arg: getattr(k.value, "value", None) for k in node.keywords}
            safe = SAFE.get(call, {"": ""}).items() <= given.items()
            if (call in PICKLING_CALLS or node.func.attr in PICKLING_METHODS) and not safe:
                found.append(call)
    return found


def private(module: Module) -> list[str]:
    """What `module` uses of torch that torch keeps to itself, by its underscore or as an experiment."""
    used = [dotted(node) for node in ast.walk(module.tree) if isinstance(node, ast.Attribute)]
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Import):
            used += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            used += [f"{node.module}.{alias.name}" for alias in node.names]
    parts = [name.split(".") for name in used]
    return [".".join(name) for name in parts if name[0] == "torch" and any(map(is_private, name))]


def is_private(name: str) -> bool:
    return name == "experimental" or (name.startswith("_") and not name.endswith("__"))


@pytest.mark.parametrize("module", GENBENCH, ids=lambda module: module.name)
def test_no_import_points_up(module):
    assert upward(module) == []


@pytest.mark.parametrize("module", GENBENCH, ids=lambda module: module.name)
def test_only_plugins_import_the_api(module):
    assert module.name == "genbench.api" or "genbench.api" not in imports(module)


@pytest.mark.parametrize("module", BASELINES, ids=lambda module: module.name)
def test_baselines_import_nothing_of_genbench_but_its_api(module):
    own = {name for name in imports(module) if name.partition(".")[0] == "genbench"}
    assert own <= {"genbench.api", *(other.name for other in BASELINES)}


@pytest.mark.parametrize("module", [m for m in GENBENCH if part(m.name) == "report"], ids=lambda module: module.name)
def test_report_neither_trains_nor_samples(module):
    found = set(imports(module))
    assert {name.partition(".")[0] for name in found}.isdisjoint({"torch", "torchmetrics"})
    assert {part(name) for name in found if name.startswith("genbench")}.isdisjoint(
        {"datasets", "engine", "executors", "networks", "seeding", "trials"}
    )


@pytest.mark.parametrize("module", ALL, ids=lambda module: module.name)
def test_nothing_draws_from_a_global_stream(module):
    """One module alone touches them, to lend them to a trial and to give them back; methods draw from what it lends."""
    if not module.name.startswith("genbench.baselines."):
        assert bool(global_draws(module.tree)) == (module.name == "genbench.engine.global_streams")


@pytest.mark.parametrize("module", ALL, ids=lambda module: module.name)
def test_one_module_alone_uses_what_torch_keeps_to_itself(module):
    assert bool(private(module)) == (module.name == "genbench.engine.torch_internals")


@pytest.mark.parametrize("module", ALL, ids=lambda module: module.name)
def test_nothing_pickles(module):
    assert pickling(module) == []


def test_every_module_has_its_layer():
    assert {part(module.name) for module in GENBENCH} == set(LEVELS)


def written(tmp_path: Path, name: str, text: str) -> Module:
    path = tmp_path / "module.py"
    path.write_text(text)
    return Module(name, path)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("genbench.records.store", "from genbench.report import table"),
        ("genbench.spec", "import genbench.records.store"),
        ("genbench.engine.training", "from genbench import api"),
        ("genbench.engine.training", "from ..executors.pool import PoolExecutor"),
        ("genbench.metrics.modes", "def late():\n    from genbench.trials import trial"),
        ("genbench.records.record", "if TYPE_CHECKING:\n    from genbench.datasets.base import Dataset"),
        ("genbench.networks.mlp", "import genbench.somewhere.unheard_of"),
    ],
)
def test_import_that_points_up_is_seen(name, text, tmp_path):
    assert upward(written(tmp_path, name, text))


@pytest.mark.parametrize(
    "text",
    [
        "import random",
        "from random import choice",
        "np.random.rand(3)",
        "np.random.default_rng()",
        "np.random.seed(0)",
        "torch.manual_seed(0)",
        "torch.cuda.manual_seed_all(0)",
        "torch.randn(3)",
        "x.normal_()",
        "nn.init.uniform_(weight, -1, 1)",
    ],
)
def test_global_draw_is_seen(text):
    assert global_draws(ast.parse(text))


@pytest.mark.parametrize(
    "text",
    [
        "torch.randn(3, generator=rng)",
        "x.normal_(generator=rng)",
        "np.random.default_rng(3)",
        "np.random.RandomState(3)",
        "nn.init.zeros_(b)",
    ],
)
def test_draw_from_an_own_stream_is_fine(text):
    assert not global_draws(ast.parse(text))


@pytest.mark.parametrize(
    "text", ["import pickle", "from joblib import dump", "torch.load(path)", "np.load(path)", "frame.to_pickle(path)"]
)
def test_pickling_is_seen(text, tmp_path):
    assert pickling(written(tmp_path, "genbench.records.store", text))


@pytest.mark.parametrize(
    "text",
    [
        "import torch\ntorch._foreach_add_(a, b)",
        "from torch.utils._pytree import tree_map",
        "import torch._inductor",
        "from torch.fx.experimental.proxy_tensor import make_fx",
        "def late():\n    from torch.nn.modules.batchnorm import _BatchNorm",
    ],
)
def test_use_of_what_torch_keeps_to_itself_is_seen(text, tmp_path):
    assert private(written(tmp_path, "genbench.engine.stack", text))


@pytest.mark.parametrize("text", ["torch.__version__", "from torch.func import vmap", "metric._defaults"])
def test_use_of_what_torch_promises_is_fine(text, tmp_path):
    assert not private(written(tmp_path, "genbench.engine.stack", text))


def test_every_package_is_installed():
    """A room that pyproject.toml doesn't list is there in a checkout and missing in an installation."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["setuptools"]
    rooms = {".".join(path.parent.relative_to(ROOT).parts) for path in (ROOT / "genbench").rglob("__init__.py")}
    assert set(settings["packages"]) == rooms
