"""What phases can say, on every path: networks that learn together, turns, batches, rates, and the time of training."""

from dataclasses import replace
from functools import partial

import pytest
import torch
from agreement import far_apart
from torch import nn

from genbench import api

pytestmark = pytest.mark.usefixtures("double")

STEPS = 24
TOLERANCE = 1e-9
"""The largest difference of a weight between paths, in units of the largest weight, in double precision."""


def autoencoder(problem, **changes):
    """Two networks that learn from one loss, and a critic that learns by itself; what each sees is noted."""
    noise = api.Normal((2,))

    def reconstruction(nets, batch):
        return (nets.generator(nets.encoder(batch.real)) - batch.real).square().mean()

    def criticism(nets, batch):
        return nets.critic(batch.real).mean() + nets.critic(nets.generator(batch.noise)).square().mean()

    both = api.Phase(("generator", "encoder"), reconstruction, {"real": api.Real()})
    critic = api.Phase("critic", criticism, {"real": api.Real(), "noise": noise})
    adam = api.Optimizer("adam", 1e-2)
    method = api.Method(
        networks={
            "generator": problem.initialised("generator", lambda rng: nn.Linear(2, 2)),
            "encoder": problem.initialised("encoder", lambda rng: nn.Linear(2, 2)),
            "critic": problem.critic("mlp", width=8, depth=1),
        },
        phases=[both, critic],
        optimizers={"generator": adam, "encoder": adam, "critic": adam},
        prior=noise,
        batch=16,
    )
    return changed(method, **changes)


def changed(method, phase=None, optimizers=None, **more):
    """The method with other details of its last phase, of optimisers, or of itself."""
    *others, last = method.phases
    phases = [*others, replace(last, **(phase or {}))]
    return replace(method, phases=phases, optimizers={**method.optimizers, **(optimizers or {})}, **more)


def progressing(nets, batch):
    """A loss that says where in training it is."""
    return nets.critic(batch.real).mean() * (1 + batch.step) + batch.progress


def lazily(**rest):
    return {"phase": {"every": 3, **rest}}


VARIANTS = {
    "as it is": {},
    "lazy": lazily(),
    "lazy and repeated": lazily(repeats=2, batch=5),
    "own batch": {"phase": {"batch": 7}},
    "where it is": {"phase": {"loss": progressing}},
    "adamw": {"optimizers": {"critic": api.Optimizer("adamw", 1e-2, weight_decay=0.1, epsilon=1e-6)}},
    "decay": {"optimizers": {"encoder": api.Optimizer("adam", 1e-2, weight_decay=0.1)}},
    "rmsprop": {"optimizers": {"critic": api.Optimizer("rmsprop", 1e-3, weight_decay=0.1, epsilon=1e-3)}},
    "sgd": {"optimizers": {"critic": api.Optimizer("sgd", 1e-2, beta1=0.5, weight_decay=0.1)}},
    "warm-up": {"optimizers": {"generator": api.Optimizer("adam", 1e-2, warmup=9, schedule="cosine")}},
    "clipped": {"phase": {"after": lambda own: {name: value.clamp(-0.1, 0.1) for name, value in own.items()}}},
}


@pytest.fixture
def ready(assembled):
    """`ready(build, engine=…, seeds=…)`: the training of a method, ready to step."""
    return partial(assembled, budget=f"steps={STEPS}")


def of(variant):
    return lambda problem: autoencoder(problem, **VARIANTS[variant])


@pytest.mark.parametrize("variant", VARIANTS)
class TestPhases:
    @pytest.mark.usefixtures("eager")
    def test_train_alike_plainly_and_stacked(self, variant, ready):
        both = ready(of(variant), "compiled", (0, 1))
        both.run(1.0)
        for replica, seed in enumerate((0, 1)):
            alone = ready(of(variant), "plain", (seed,))
            alone.run(1.0)
            assert far_apart(both.stack.weights(replica), alone.stack.weights(0)) < TOLERANCE
            assert both.meter_of(replica).units.keys() == alone.meter.units.keys()
            assert (both.meter.updates, both.meter.samples) == (alone.meter.updates, alone.meter.samples)
            for name, loss in alone.losses.items():
                assert both.losses[name][replica].item() == pytest.approx(loss.item(), rel=1e-9)

    def test_go_on_after_a_pause_as_if_there_had_been_none(self, variant, ready):
        whole, first, second = (ready(of(variant)) for _ in range(3))
        whole.run(1.0)
        first.run(5 / STEPS)
        second.restore(*first.state())
        second.run(1.0)
        assert second.weights_sha256() == whole.weights_sha256()
        assert second.meter.updates == whole.meter.updates


@pytest.mark.parametrize("variant", ["as it is", "lazy and repeated", "where it is", "adamw", "warm-up"])
def test_phases_compile(variant, ready):
    plain, compiled = ready(of(variant), "plain"), ready(of(variant), "compiled")
    for training in (plain, compiled):
        training.run(1.0)
    assert far_apart(compiled.stack.weights(0), plain.stack.weights(0)) < 1e-6


def test_networks_that_learn_together_have_one_update_by_one_gradient(ready):
    training = ready(lambda problem: autoencoder(problem))
    training.run(1 / STEPS)
    assert training.meter.updates == 2
    assert training.losses.keys() == {"generator+encoder", "critic"}


def test_turn_comes_in_the_first_of_so_many_steps_and_counts_then(ready):
    seen = []

    def build(problem):
        method = autoencoder(problem, **lazily(repeats=2, batch=5))
        *_, critic = method.phases

        def noted(nets, batch):
            seen.append((int(batch.step), len(batch.real)))
            return critic.loss(nets, batch)

        return replace(method, phases=[method.phases[0], replace(critic, loss=noted)])

    training = ready(build, budget="steps=8")
    seen.clear()  # where training is assembled, losses are called to see what they draw
    training.run(1.0)
    assert seen == [(step, 5) for step in (0, 0, 3, 3, 6, 6)]
    assert training.meter.updates == 8 + 6
    assert training.meter.samples == 8 * 16 + 6 * 5


def test_draws_of_a_lazy_phase_are_fresh_and_do_not_depend_on_blocks(ready):
    seen = []

    def build(problem):
        method = autoencoder(problem, **lazily())
        *_, critic = method.phases

        def noted(nets, batch):
            seen.append(batch.real.clone())
            return critic.loss(nets, batch)

        return replace(method, phases=[method.phases[0], replace(critic, loss=noted)])

    training = ready(build, budget="steps=400")
    seen.clear()
    training.run(1.0)
    assert len(seen) == 134
    assert len(torch.cat(seen).unique(dim=0)) == 134 * 16


def test_batch_says_the_step_and_the_share_of_the_budget(ready):
    seen = []

    def build(problem):
        method = autoencoder(problem)
        *_, critic = method.phases

        def noted(nets, batch):
            seen.append((batch.step.item(), batch.progress.item()))
            return critic.loss(nets, batch)

        return replace(method, phases=[method.phases[0], replace(critic, loss=noted)])

    training = ready(build, budget="steps=4")
    seen.clear()
    training.run(1.0)
    assert seen == [(0, 0), (1, 0.25), (2, 0.5), (3, 0.75)]


def test_rate_rises_over_its_warm_up_and_follows_its_own_schedule():
    method = autoencoder(
        api.Problem((2,), 0),
        schedule="linear",
        optimizers={"critic": api.Optimizer("adam", 0.1, warmup=4, schedule="constant")},
    )
    assert [method.rate("critic", step, step / 8) for step in range(6)] == pytest.approx(
        [0.025, 0.05, 0.075, 0.1, 0.1, 0.1]
    )
    assert method.rate("encoder", 4, 0.5) == pytest.approx(0.01 * 0.5)


def test_phases_of_the_same_networks_have_losses_of_their_own(ready):
    def build(problem):
        method = autoencoder(problem)
        return replace(method, phases=[*method.phases, method.phases[0]])

    training = ready(build)
    training.run(2 / STEPS)
    assert list(training.losses) == ["generator+encoder", "critic", "generator+encoder 2"]


@pytest.mark.parametrize(
    ("optimizer", "torchs"),
    [
        (api.Optimizer("adamw", 0.01, 0.8, 0.9, weight_decay=0.3, epsilon=1e-5), torch.optim.AdamW),
        (api.Optimizer("adam", 0.01, 0.8, 0.9, weight_decay=0.3, epsilon=1e-5), torch.optim.Adam),
    ],
    ids=["adamw", "adam"],
)
def test_decay_and_epsilon_are_torchs(optimizer, torchs, ready):
    """Held against torch's optimiser in a loop of one's own."""

    def build(problem):
        return autoencoder(problem, optimizers={"critic": optimizer})

    training = ready(build, "plain")
    method = build(api.Problem((2,), 0))
    own = torchs(method.networks["critic"].parameters(), lr=0.01, betas=(0.8, 0.9), weight_decay=0.3, eps=1e-5)
    both = torch.optim.Adam(
        [*method.networks["generator"].parameters(), *method.networks["encoder"].parameters()], 1e-2
    )
    twin = ready(build, "plain").stack._feeds
    nets = api.Networks(method.networks)
    for _ in range(5):
        together, alone = twin.next()
        both.zero_grad()
        method.phases[0].loss(nets, api.Batch({"real": together["real"][0, 0]})).backward()
        both.step()
        own.zero_grad()
        method.phases[1].loss(nets, api.Batch({name: draw[0, 0] for name, draw in alone.items()})).backward()
        own.step()
    training.run(5 / STEPS)
    theirs = {
        f"{name}.{key}": value for name, net in method.networks.items() for key, value in net.state_dict().items()
    }
    assert far_apart(training.stack.weights(0), theirs) < TOLERANCE
