"""The average of a generator's weights: its formula, and that nothing else notices it."""

from pathlib import Path

import made_up
import pytest
import torch

from genbench.engine import stacked
from genbench.engine.training import Training
from genbench.errors import GenbenchError
from genbench.plugins import load_plugin
from genbench.registry import datasets, trainers
from genbench.spec import Budget, Component, Trial
from genbench.trials.resources import build_dataset

SIZE = "width=8,batch=16"
MISFITS = str(Path(__file__).parent.parent / "helpers" / "misfits.py")


@pytest.fixture(autouse=True)
def eager(monkeypatch):
    monkeypatch.setattr(stacked, "compiled", lambda update, arguments: update)
    monkeypatch.setattr(stacked, "_compiled", {})


def trial(trainer=f"gan[{SIZE}]", **details):
    return Trial(
        dataset=Component.resolve(datasets, "ring8"),
        trainer=Component.resolve(trainers, trainer),
        budget=Budget.parse("steps=20"),
        **details,
    )


def ready(ema, engine="plain", seeds=(0,), trainer=f"gan[{SIZE}]"):
    trials = [trial(trainer, seed=seed, ema=ema) for seed in seeds]
    return Training(trials, build_dataset(trials[0].dataset), engine=engine)


@pytest.mark.parametrize("engine", ["plain", "compiled"])
def test_is_the_exponential_average_of_all_steps_from_the_first_weights_on(engine):
    training = ready(0.8, engine)
    live = training.stack.makers(0)
    expected = {name: value.clone() for name, value in live.items()}
    for step in range(1, 6):
        training.run(step / 20)
        expected = {name: 0.8 * mean + 0.2 * live[name] for name, mean in expected.items()}
    found = training.average.weights(0)
    assert found.keys() == expected.keys()
    assert all(torch.allclose(found[name], expected[name], atol=1e-6) for name in expected)


@pytest.mark.parametrize("engine", ["plain", "compiled"])
def test_training_beside_it_has_the_same_bits(engine):
    averaged, alone = ready(0.9, engine), ready(None, engine)
    for share in (0.3, 0.6, 1.0):
        averaged.run(share)
        with averaged.average.in_place():
            assert averaged.weights_sha256() != alone.weights_sha256()
    alone.run(1.0)
    assert averaged.weights_sha256() == alone.weights_sha256()


def test_in_place_the_stack_draws_with_the_average_and_afterwards_with_its_own():
    training = ready(0.99)
    training.run(1.0)
    noise = torch.randn(7, 2, generator=torch.Generator().manual_seed(0))
    own = training.stack.generate(0, noise)
    with training.average.in_place():
        averaged = training.stack.generate(0, noise)
    assert not torch.allclose(own, averaged)
    assert torch.equal(training.stack.generate(0, noise), own)


def test_every_replica_has_its_own_and_goes_on_from_its_checkpoint():
    whole, first, second = (ready(0.9, "compiled", (3, 5)) for _ in range(3))
    whole.run(1.0)
    first.run(0.5)
    for replica in range(2):
        second.restore(*first.state(replica), replica)
    second.run(1.0)
    for replica in range(2):
        found, expected = second.average.weights(replica), whole.average.weights(replica)
        assert all(torch.equal(found[name], expected[name]) for name in expected)
    assert not torch.equal(*(next(iter(whole.average.weights(replica).values())) for replica in range(2)))


def test_trial_has_an_id_of_its_own_with_it():
    ids = {trial(seed=0, ema=ema).id for ema in (None, 0.9, 0.99)}
    assert len(ids) == 3


def test_trainer_without_a_generator_of_its_own_says_so():
    with made_up.forgetful_registries():
        load_plugin(MISFITS)
        with pytest.raises(GenbenchError, match=r"can't be averaged\. Leave out --ema"):
            ready(0.9, trainer="behaves")
