"""genbench's own methods and the worked examples in docs/examples: short, of the public interface alone, and trained
alike on every path.
"""

import ast
import inspect
from pathlib import Path

import made_up
import pytest
from agreement import far_apart, trained

from genbench.engine import paths, stacked
from genbench.engine.torch_internals import compiled, traced
from genbench.engine.training import Training
from genbench.plugins import load_plugin
from genbench.registry import datasets, trainers
from genbench.spec import Budget, Component, Trial
from genbench.trials.resources import build_dataset

ROOT = Path(__file__).parents[2]
EXAMPLES = sorted((ROOT / "docs" / "examples").glob("*.py"))
OWN = {
    entry.name: Path(inspect.getfile(entry.build))
    for entry in trainers
    if entry.origin.startswith("genbench.baselines")
}
LONGEST = 80
SMALL = {"width": 8, "batch": 16}
SEEDS = (0, 1, 2)
ALONE = {"genbench", "torch", "math", "typing", "collections", "annotated_types", "__future__"}
BESIDE = {"parameters", "recipes"}
"""What genbench's own methods share."""


def called(given):
    return given if isinstance(given, str) else given.stem


@pytest.fixture(params=[*OWN, *EXAMPLES], ids=called)
def small(request, monkeypatch):
    """A trainer in its shortest reference but for its size; a worked example's is registered for one test."""
    monkeypatch.setattr(stacked, "_compiled", {})
    monkeypatch.setattr(stacked, "compiled", traced)  # what is compiled, without waiting for the compiler
    monkeypatch.setattr(paths, "_failures", {})
    own = SMALL | ({"steps": 2} if request.param in OWN and "steps" in trainers[request.param].annotations else {})
    size = ",".join(f"{key}={value}" for key, value in own.items())
    with made_up.forgetful_registries():
        if request.param in OWN:
            yield f"{request.param}[{size}]"
        else:
            before = {entry.name for entry in trainers}
            load_plugin(str(request.param))
            (name,) = {entry.name for entry in trainers} - before
            yield f"{name}[{size}]"


def training(reference, engine, seeds=SEEDS, steps=8):
    dataset, trainer = Component.resolve(datasets, "ring8"), Component.resolve(trainers, reference)
    trials = [Trial(dataset=dataset, trainer=trainer, budget=Budget.parse(f"steps={steps}"), seed=s) for s in seeds]
    return Training(trials, build_dataset(dataset), "cpu", engine)


@pytest.mark.parametrize("path", [*OWN.values(), *EXAMPLES], ids=called)
def test_it_is_short_and_needs_no_more_than_anyone_has(path):
    text = path.read_text(encoding="utf-8")
    assert len(text.splitlines()) < LONGEST
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.ImportFrom):
            assert node.module in BESIDE if node.level else node.module.partition(".")[0] in ALONE
            assert (
                node.level
                or node.module.partition(".")[0] != "genbench"
                or [alias.name for alias in node.names] == ["api"]
            )


def test_all_seeds_at_once_are_each_alone(small, double):
    """Stacked, as the graph that is compiled, against the plain path, in double precision."""
    together = trained(training(small, "compiled"))
    assert together.path.name == "compiled"
    assert together.stack.size == len(SEEDS)
    for replica, seed in enumerate(SEEDS):
        alone = trained(training(small, "plain", (seed,)))
        assert far_apart(together.stack.weights(replica), alone.stack.weights(0)) < 1e-9
        assert set(together.losses) == set(alone.losses)


@pytest.mark.slow
def test_all_seeds_compile(small, monkeypatch, double):
    monkeypatch.setattr(stacked, "compiled", compiled)
    together = trained(training(small, "compiled"))
    assert together.path.name == "compiled"
    alone = trained(training(small, "plain", SEEDS[:1]))
    assert far_apart(together.stack.weights(0), alone.stack.weights(0)) < 1e-9
