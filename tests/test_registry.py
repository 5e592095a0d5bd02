"""Parameters, registries and the ways in which plugins get in."""

import hashlib
import json
import os
import re
import sys
from collections.abc import Iterator
from importlib.metadata import Distribution, EntryPoint
from pathlib import Path
from typing import Annotated, Any, Literal

import made_up
import pytest
from annotated_types import Gt
from hypothesis import given
from hypothesis import strategies as st

from genbench import plugins, registry
from genbench.errors import BadParameter, GenbenchError, UnknownName
from genbench.parameters import Home
from genbench.plugins import load_plugin
from genbench.references import Reference, Value
from genbench.registry import Entry, Registry, trainers


def method(
    problem: object,
    *,
    width: Annotated[int, Gt(0)] = 64,
    lr: Annotated[float, Gt(0)] = 1e-3,
    kind: Literal["adam", "sgd"] = "adam",
    smooth: bool = False,
) -> str:
    """A made-up method.

    More about it.
    """
    return f"{width} {lr} {kind} {smooth}"


def needy(*, path: str, std: float = 0.1) -> str:
    """A dataset that can't do without a path."""
    return f"{path} {std}"


ENTRY = Entry("trainer", "made-up", 1, method, "tests", recipes={"wide": {"width": 512, "lr": 1e-4}})
NEEDY = Entry("dataset", "needy", 1, needy, "tests")


def test_registry_labels_references_without_building_anything() -> None:
    assert trainers.label("gan[width=64]") == "gan"
    assert trainers.label("gan[width=65]") == "gan[width=65]"
    with pytest.raises(UnknownName):
        trainers.label("gna")


def test_defaults_then_recipe_then_given() -> None:
    assert ENTRY.resolve({}) == {"width": 64, "lr": 1e-3, "kind": "adam", "smooth": False}
    assert ENTRY.resolve({"recipe": "wide"}) == {"width": 512, "lr": 1e-4, "kind": "adam", "smooth": False}
    assert ENTRY.resolve({"recipe": "wide", "lr": 2})["lr"] == 2
    assert ENTRY.resolve({"recipe": "wide", "lr": 2})["width"] == 512
    assert ENTRY.resolve({"recipe": "default"}) == ENTRY.resolve({})


@pytest.mark.parametrize(("key", "given_", "kept"), [("lr", 1, float), ("width", 3.0, int), ("smooth", True, bool)])
def test_values_take_their_parameters_type(key: str, given_: object, kept: type) -> None:
    assert type(ENTRY.resolve({key: given_})[key]) is kept  # type: ignore[dict-item]


def typed(*, path: str, place: Annotated[str, Home()] = ".", n: int | str = 1, word: str | None = None) -> str:
    """A thing of texts."""
    return f"{path} {place} {n} {word}"


TYPED = Entry("dataset", "typed", 1, typed, "tests")


@pytest.mark.parametrize(
    "path", ["007", "2024_01", "true", "None", "1e5", "nan", "a,b", "x[", '"', " a ", "café", "0x1"]
)
def test_text_stays_as_it_is_written(path: str) -> None:
    reference = str(Reference("typed", {"path": path}))
    resolved = TYPED.resolve(Reference.parse(reference).parameters)
    assert resolved["path"] == path
    assert TYPED.label(Reference.parse(reference).parameters) == reference


@pytest.mark.parametrize(
    ("written", "values"),
    [("n=7", {"n": 7}), ("n=seven", {"n": "seven"}), ("word=none", {"word": None}), ("word=12", {"word": "12"})],
)
def test_text_of_several_types_is_read_by_the_one_that_takes_it(written: str, values: dict[str, Value]) -> None:
    resolved = TYPED.resolve(Reference.parse(f"typed[path=x,{written}]").parameters)
    assert {key: resolved[key] for key in values} == values


def test_home_is_expanded_in_paths_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/ada")
    resolved = TYPED.resolve(Reference.parse("typed[path=~/x,place=~/x]").parameters)
    assert (resolved["path"], resolved["place"]) == ("~/x", "/home/ada/x")


@pytest.mark.parametrize(
    ("given_", "label"),
    [
        ({}, "made-up"),
        ({"width": 64, "lr": 0.001}, "made-up"),
        ({"width": 65, "lr": 0.001}, "made-up[width=65]"),
        ({"recipe": "wide"}, "made-up[recipe=wide]"),
        ({"recipe": "default"}, "made-up"),
        ({"recipe": "wide", "smooth": True}, "made-up[recipe=wide,smooth=true]"),
        ({"recipe": "wide", "width": 512}, "made-up[recipe=wide]"),
        ({"recipe": "wide", "width": 64}, "made-up[recipe=wide,width=64]"),
    ],
)
def test_label_is_the_shortest_reference(given_: dict[str, Value], label: str) -> None:
    assert ENTRY.label(given_) == label


@given(
    st.fixed_dictionaries(
        {},
        optional={
            "recipe": st.sampled_from(["default", "wide"]),
            "width": st.sampled_from([64, 512, 7]),
            "lr": st.sampled_from([1e-3, 1e-4, 0.5]),
        },
    )
)
def test_label_says_the_same_as_the_reference(chosen: dict[str, Value]) -> None:
    assert ENTRY.resolve(Reference.parse(ENTRY.label(chosen)).parameters) == ENTRY.resolve(chosen)


@pytest.mark.parametrize(
    ("entry", "given_", "message"),
    [
        (ENTRY, {"widht": 3}, "'widht'. Did you mean width.*genbench show made-up"),
        (ENTRY, {"zzz": 3}, "Known: kind, lr, recipe, smooth, width.*genbench show made-up"),
        (ENTRY, {"width": 0}, "width can't be 0 .*greater than 0.*genbench show made-up"),
        (ENTRY, {"width": "many"}, "width can't be many .*integer.*genbench show made-up"),
        (ENTRY, {"width": 1.5}, r"width can't be 1\.5 .*integer.*genbench show made-up"),
        (ENTRY, {"kind": "adm"}, "kind can't be adm .*'adam' or 'sgd'.*genbench show made-up"),
        (ENTRY, {"lr": float("nan")}, "lr can't be nan.*genbench show made-up"),
        (ENTRY, {"lr": float("inf")}, "lr can't be inf.*genbench show made-up"),
        (NEEDY, {}, "path is missing.*genbench show needy"),
        (NEEDY, {"recipe": "wide"}, "'recipe'.*genbench show needy"),
    ],
)
def test_parameters_that_do_not_fit(entry: Entry, given_: dict[str, Value], message: str) -> None:
    with pytest.raises(BadParameter, match=message):
        entry.resolve(given_)


def test_unknown_recipe_names_the_known_ones() -> None:
    with pytest.raises(UnknownName, match=r"recipe of made-up is named 'wied'.*wide"):
        ENTRY.resolve({"recipe": "wied"})


def test_documentation_comes_from_the_docstring() -> None:
    assert ENTRY.summary == "A made-up method."
    assert ENTRY.doc.endswith("More about it.")


def test_registry_builds_with_arguments_before_parameters() -> None:
    held = Registry("trainer", Entry)
    held.add(ENTRY)
    assert held.build("made-up[recipe=wide,kind=sgd]", "a problem") == "512 0.0001 sgd False"


@pytest.mark.parametrize(("name", "hint"), [("wgan_gp", "Did you mean wgan-gp"), ("qqqq", "Known: .*wgan")])
def test_unknown_name_suggests(name: str, hint: str) -> None:
    with pytest.raises(UnknownName, match=f"No trainer is named '{name}'. {hint}"):
        trainers[name]


def test_name_taken_by_another_origin_is_refused() -> None:
    held = Registry("trainer", Entry)
    held.add(ENTRY)
    with pytest.raises(GenbenchError, match=r"'made-up' of elsewhere is already registered by tests\. Rename one"):
        held.add(Entry("trainer", "made-up", 1, method, "elsewhere"))
    assert held["made-up"].origin == "tests"


@pytest.mark.parametrize("name", ["", "Gan", "wgan gp", "gan[x]", "a/b", "-gan"])
def test_name_that_no_reference_could_hold_is_refused(name: str) -> None:
    with pytest.raises(GenbenchError, match="can't name a trainer"):
        Registry("trainer", Entry).add(Entry("trainer", name, 1, method, "tests"))


PLUGIN = """
from genbench import api

@api.suite("from-a-plugin")
def plan() -> api.Suite:
    \"\"\"A suite of a plugin's own.\"\"\"
"""


@pytest.fixture
def forgetful() -> Iterator[None]:
    with made_up.forgetful_registries():
        yield


@pytest.fixture
def plugin_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder of importable modules, all of them forgotten afterwards."""
    before = set(sys.modules)
    monkeypatch.syspath_prepend(tmp_path)
    yield tmp_path
    for name in set(sys.modules) - before:
        if str(tmp_path) in str(getattr(sys.modules[name], "__file__", "")):
            del sys.modules[name]


@pytest.mark.parametrize(
    ("source", "error"),
    [
        ("raise ValueError('no such luck')", "ValueError: no such luck"),
        ("import a_module_that_is_nowhere", "ModuleNotFoundError: .*a_module_that_is_nowhere"),
        ("raise SystemExit(3)", "SystemExit: 3"),
        ("from genbench.api import trainer\n@trainer('gan')\ndef gan(problem): ''", "already registered"),
    ],
)
@pytest.mark.usefixtures("forgetful")
def test_broken_entry_point_is_listed_and_never_fatal(
    source: str, error: str, plugin_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    list(trainers)
    plugins._loaded.clear()
    plugins.broken_plugins.clear()
    (plugin_folder / "broken_plugin.py").write_text(source)
    (plugin_folder / "good_plugin.py").write_text(PLUGIN)
    points = [EntryPoint(name, f"{name}_plugin", plugins.ENTRY_POINT_GROUP) for name in ("broken", "good")]
    monkeypatch.setattr("importlib.metadata.entry_points", lambda group: points)
    assert "from-a-plugin" in registry.suites
    (broken,) = plugins.broken_plugins
    assert broken.name == "broken"
    assert re.search(error, broken.error)
    with pytest.raises(UnknownName, match="plugins failed to load: broken; see genbench doctor"):
        trainers["no-such-trainer"]


@pytest.mark.usefixtures("forgetful")
def test_plugin_from_a_file_is_loaded_once(tmp_path: Path) -> None:
    path = tmp_path / "my_suite.py"
    path.write_text(PLUGIN)
    load_plugin(str(path))
    assert registry.suites["from-a-plugin"].summary == "A suite of a plugin's own."
    path.write_text("raise RuntimeError('loaded again')")
    load_plugin(str(path))


@pytest.mark.usefixtures("forgetful")
def test_plugin_from_a_module(plugin_folder: Path) -> None:
    (plugin_folder / "a_module_of_suites.py").write_text(PLUGIN)
    load_plugin("a_module_of_suites")
    assert "from-a-plugin" in registry.suites


class Installed(Distribution):
    """A distribution that isn't there, linked to where it is edited or not."""

    def __init__(self, editable: bool) -> None:
        self.files_ = {
            "METADATA": "Metadata-Version: 2.1\nName: my-suites\nVersion: 1.2\n",
            "direct_url.json": json.dumps({"url": "file:///elsewhere", "dir_info": {"editable": editable}}),
        }

    def read_text(self, filename: str) -> str | None:
        return self.files_.get(filename)

    def locate_file(self, path: Any) -> Any:
        raise AssertionError


def loaded_from(point: EntryPoint, monkeypatch: pytest.MonkeyPatch) -> Entry:
    """The suite that a lone entry point registers."""
    list(trainers)
    plugins._loaded.clear()
    registry.suites._entries.clear()
    monkeypatch.setattr("importlib.metadata.entry_points", lambda group: [point])
    return registry.suites["from-a-plugin"]


def sha256(*contents: bytes) -> dict[str, str]:
    return {"sha256": hashlib.sha256(b"".join(contents)).hexdigest()}


@pytest.mark.usefixtures("forgetful")
@pytest.mark.parametrize(
    ("editable", "source"), [(False, {"my-suites": "1.2"}), (True, sha256(PLUGIN.encode()))], ids=["fixed", "editable"]
)
def test_source_of_an_installed_thing_is_its_distributions_version_unless_it_may_be_edited(
    editable: bool, source: dict[str, str], plugin_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (plugin_folder / "my_installed_suites.py").write_text(PLUGIN)
    point = EntryPoint("mine", "my_installed_suites", plugins.ENTRY_POINT_GROUP)
    vars(point).update(dist=Installed(editable))
    assert loaded_from(point, monkeypatch).source == source


@pytest.mark.usefixtures("forgetful")
def test_source_of_a_package_is_all_of_its_files(plugin_folder: Path) -> None:
    package = plugin_folder / "a_package_of_suites"
    package.mkdir()
    (package / "__init__.py").write_text("from . import plan")
    (package / "plan.py").write_text(PLUGIN)
    (package / "helper.py").write_text("A = 1")
    load_plugin("a_package_of_suites")
    files = (b"__init__.py\n", b"from . import plan", b"helper.py\n", b"A = 1", b"plan.py\n", PLUGIN.encode())
    assert registry.suites["from-a-plugin"].source == sha256(*files)


@pytest.mark.usefixtures("forgetful")
def test_source_of_a_file_is_that_file(tmp_path: Path) -> None:
    path = tmp_path / "my_suite.py"
    path.write_text(PLUGIN)
    load_plugin(str(path))
    assert registry.suites["from-a-plugin"].source == sha256(PLUGIN.encode())
    assert {tuple(entry.source) for entry in trainers if entry.is_own} == {()}


@pytest.mark.usefixtures("forgetful")
def test_file_is_run_as_it_is_though_it_was_changed_at_the_same_time_to_the_same_size(tmp_path: Path) -> None:
    path = tmp_path / "my_suite.py"
    for word in ("suite", "folly"):
        path.write_text(PLUGIN.replace("A suite", f"A {word}"))
        os.utime(path, (1_000_000_000, 1_000_000_000))
        plugins._loaded.discard(str(path))
        registry.suites._entries.pop("from-a-plugin", None)
        load_plugin(str(path))
        assert registry.suites["from-a-plugin"].summary == f"A {word} of a plugin's own."
        assert registry.suites["from-a-plugin"].source == sha256(path.read_bytes())
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.usefixtures("forgetful")
def test_plugin_that_wraps_one_of_genbenchs_own_is_a_plugins(tmp_path: Path) -> None:
    path = tmp_path / "wraps.py"
    path.write_text(
        "import functools\nfrom genbench import api\nfrom genbench.baselines.gan import gan\n"
        "def wrapped(problem: api.Problem) -> api.Method:\n    return gan(problem)\n"
        "wrapped.__module__ = gan.__module__\n"
        "api.trainer('wrapped')(wrapped)\n"
    )
    load_plugin(str(path))
    assert trainers["wrapped"].source == sha256(path.read_bytes())
    assert not trainers["wrapped"].is_own


@pytest.mark.usefixtures("forgetful")
def test_two_files_of_one_name_do_not_replace_each_other_silently(tmp_path: Path) -> None:
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "my_suite.py").write_text(PLUGIN)
    load_plugin(str(tmp_path / "a/my_suite.py"))
    with pytest.raises(GenbenchError, match="already registered"):
        load_plugin(str(tmp_path / "b/my_suite.py"))


@pytest.mark.usefixtures("forgetful")
def test_missing_plugin_file_says_what_to_give() -> None:
    with pytest.raises(GenbenchError, match=r"nowhere\.py is not a file\. Give a \.py file or"):
        load_plugin("nowhere.py")


@pytest.mark.usefixtures("forgetful")
@pytest.mark.parametrize("source", ["1/0", "def ("])
def test_plugin_that_fails_names_itself_and_the_error(source: str, tmp_path: Path) -> None:
    path = tmp_path / "fails.py"
    path.write_text(source)
    with pytest.raises(GenbenchError, match=r"Plugin .*fails\.py failed to load: (ZeroDivision|Syntax)Error: "):
        load_plugin(str(path))


@pytest.mark.usefixtures("forgetful")
def test_missing_plugin_module_is_named() -> None:
    with pytest.raises(GenbenchError, match="Plugin a_module_that_is_nowhere failed to load: ModuleNotFoundError"):
        load_plugin("a_module_that_is_nowhere")


@pytest.mark.parametrize(
    ("held", "details", "message"),
    [
        (registry.metrics, {"unit": "m", "higher_is_bettr": True}, "'higher_is_bettr'. Did you mean higher_is_better"),
        (registry.metrics, {"higher_is_better": None}, "The metric 'mine' doesn't say its unit. Write unit=… in"),
        (registry.datasets, {"file": ("path",)}, "No detail of the dataset 'mine' is named 'file'. Did you mean files"),
        (registry.panels, {}, "The panel 'mine' doesn't say its title."),
        (registry.suites, {"origin": "elsewhere"}, "No detail of the suite 'mine' is named 'origin'."),
    ],
)
def test_details_that_are_none_of_the_kind_are_refused(held, details: dict[str, Any], message: str) -> None:
    with pytest.raises(GenbenchError) as refused:
        held.register("mine", **details)
    assert message in str(refused.value)
