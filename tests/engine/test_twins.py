"""Each of genbench's own trainers beside a twin of it that was written for it alone, in double precision."""

import pytest
from agreement import far_apart
from reference.trainer_twins import TWINS, Loop

from genbench.engine.training import Training
from genbench.registry import datasets, trainers
from genbench.spec import Budget, Component, Trial
from genbench.trials.resources import build_dataset

pytestmark = pytest.mark.usefixtures("double")

STEPS = 50
TOLERANCE = 1e-9
"""The largest difference of a weight after so many steps, in units of the largest weight."""

SMALL = {"width": 8, "depth": 2, "batch": 8, "lr": 1e-3, "layers": 4, "bins": 5}
VARIANTS = [
    *TWINS,
    "gan[critic_steps=2]",
    "lsgan[coding=pearson]",
    "r1[every=4]",
    "r1[critic_steps=2,every=3]",
    "rpgan[relativistic=false]",
    "rpgan[r2=0]",
    "rpgan[r1=0]",
    "pacgan[pack=4]",
    "unrolled[steps=1]",
    "unrolled[slower=0.1]",
    "vae[beta=4,warmup=1]",
]


def test_every_trainer_has_a_twin():
    assert set(TWINS) == {entry.name for entry in trainers if entry.is_own}


@pytest.mark.parametrize("reference", VARIANTS)
def test_fifty_steps_end_where_the_twin_does(reference):
    name, _, given = reference.rstrip("]").partition("[")
    own = {key: value for key, value in SMALL.items() if key in trainers[name].annotations}
    listed = ",".join([*(f"{key}={value}" for key, value in own.items()), *filter(None, [given])])
    trial = Trial(
        dataset=Component.resolve(datasets, "ring8"),
        trainer=Component.resolve(trainers, f"{name}[{listed}]"),
        budget=Budget.parse(f"steps={STEPS}"),
        seed=3,
    )
    training, drawing = (Training([trial], build_dataset(trial.dataset), "cpu", "plain") for _ in range(2))
    loop = Loop(name, trial.trainer.parameters, training.stack.method)
    start = {key: value.clone() for key, value in loop.weights().items()}
    for step in range(STEPS):
        loop.step(drawing.stack._feeds.next(), step / STEPS)
    training.run(1.0)
    trained = training.stack.weights(0)
    assert far_apart(trained, loop.weights()) < TOLERANCE
    assert far_apart(trained, start) > 1e-3
