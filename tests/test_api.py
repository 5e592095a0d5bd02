"""The one door for plugins."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from made_up import forgetful_registries
from pydantic import TypeAdapter, ValidationError

from genbench import api, registry

BASELINES = sorted((Path(__file__).parent.parent / "genbench" / "baselines").glob("*.py"))


def test_importing_it_imports_no_torch():
    check = "import genbench.api, sys; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", check], check=False).returncode == 0


def test_baselines_are_found_from_a_checkouts_root_too():
    """There its folder comes before the installed package."""
    check = "import sys; from genbench.registry import trainers; sys.exit('wgan-gp' not in trainers)"
    root = Path(__file__).parent.parent
    assert subprocess.run([sys.executable, "-c", check], check=False, cwd=root).returncode == 0


def test_all_that_it_promises_is_there():
    assert [name for name in api.__all__ if not hasattr(api, name)] == []
    assert len(set(api.__all__)) == len(api.__all__)


@pytest.mark.parametrize("path", BASELINES, ids=lambda path: path.name)
def test_baselines_use_nothing_that_it_does_not_promise(path):
    used = set(re.findall(r"\bapi\.(\w+)", path.read_text(encoding="utf-8")))
    assert used <= set(api.__all__)


@pytest.mark.parametrize(
    ("decorator", "held"),
    [
        ("trainer", "trainers"),
        ("dataset", "datasets"),
        ("control", "controls"),
        ("suite", "suites"),
        ("protocol", "protocols"),
    ],
)
def test_decorator_registers_in_its_registry(decorator, held):
    assert getattr(api, decorator).__self__ is getattr(registry, held)


@pytest.mark.parametrize(
    ("kind", "good", "bad"),
    [
        (api.Count, [1, 64], [0, -1, 1.5, "many"]),
        (api.Positive, [1e-9, 3], [0, -1e-9]),
        (api.NonNegative, [0, 0.1], [-1e-9]),
        (api.Decay, [0, 0.999], [1, -0.1]),
        (api.PairName, ["mlp", "mlp-he", "pacgan"], ["resnet", "pacgan2018"]),
        (api.OptimizerName, ["adam", "adamw", "rmsprop", "sgd"], ["nadam"]),
        (api.ScheduleName, ["constant", "linear", "cosine"], ["steps"]),
    ],
)
def test_parameter_types_take_what_they_say(kind, good, bad):
    adapter = TypeAdapter(kind)
    for value in good:
        assert adapter.validate_python(value) == value
    for value in bad:
        with pytest.raises(ValidationError):
            adapter.validate_python(value)


def test_a_metric_of_a_plugin_has_no_bounds_and_does_not_count_unless_it_says_so():
    with forgetful_registries():

        @api.metric("made-up", unit="points", higher_is_better=True)
        def made_up(truth):
            """A metric that nobody computes."""

        entry = registry.metrics["made-up"]
    assert (entry.bounds, entry.whole) == ((None, None), False)
