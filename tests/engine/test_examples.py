"""The worked examples in docs/examples: short, of the public interface alone, and trained alike on every path."""

import ast
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
LONGEST = 80
SMALL = {"width": 8, "batch": 16}
SEEDS = (0, 1, 2)
ALONE = {"genbench", "torch", "math", "typing", "collections", "__future__"}


@pytest.fixture(params=EXAMPLES, ids=lambda path: path.stem)
def example(request, monkeypatch):
    """A worked example's trainer, registered for one test, in its shortest reference but for its size."""
    monkeypatch.setattr(stacked, "_compiled", {})
    monkeypatch.setattr(stacked, "compiled", traced)  # what is compiled, without waiting for the compiler
    monkeypatch.setattr(paths, "_failures", {})
    with made_up.forgetful_registries():
        before = {entry.name for entry in trainers}
        load_plugin(str(request.param))
        (name,) = {entry.name for entry in trainers} - before
        yield f"{name}[{','.join(f'{key}={value}' for key, value in SMALL.items())}]"


def training(reference, engine, seeds=SEEDS, steps=8):
    dataset, trainer = Component.resolve(datasets, "ring8"), Component.resolve(trainers, reference)
    trials = [Trial(dataset=dataset, trainer=trainer, budget=Budget.parse(f"steps={steps}"), seed=s) for s in seeds]
    return Training(trials, build_dataset(dataset), "cpu", engine)


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_it_is_short_and_needs_no_more_than_anyone_has(path):
    text = path.read_text(encoding="utf-8")
    assert len(text.splitlines()) < LONGEST
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.ImportFrom):
            assert node.module.partition(".")[0] in ALONE
            assert node.module.partition(".")[0] != "genbench" or [alias.name for alias in node.names] == ["api"]


def test_all_seeds_at_once_are_each_alone(example, double):
    """Stacked, as the graph that is compiled, against the plain path, in double precision."""
    together = trained(training(example, "compiled"))
    assert together.path.name == "compiled"
    assert together.stack.size == len(SEEDS)
    for replica, seed in enumerate(SEEDS):
        alone = trained(training(example, "plain", (seed,)))
        assert far_apart(together.stack.weights(replica), alone.stack.weights(0)) < 1e-9
        assert set(together.losses) == set(alone.losses)


@pytest.mark.slow
def test_all_seeds_compile(example, monkeypatch, double):
    monkeypatch.setattr(stacked, "compiled", compiled)
    together = trained(training(example, "compiled"))
    assert together.path.name == "compiled"
    alone = trained(training(example, "plain", SEEDS[:1]))
    assert far_apart(together.stack.weights(0), alone.stack.weights(0)) < 1e-9
