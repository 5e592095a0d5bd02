"""A method is checked whole where it is made: nothing that the engine has no meaning for trains as something else."""

import pytest
import torch
from torch import nn

from genbench import api


def loss(nets, batch):
    return nets.critic(batch.real).mean()


NETWORKS = {"generator": nn.Linear(2, 2), "critic": nn.Linear(2, 1)}
PHASES = [api.Phase("critic", loss, {"real": api.Real()})]
ADAM = api.Optimizer("adam", 1e-3)
FITTING = {
    "networks": NETWORKS,
    "phases": PHASES,
    "optimizers": {"critic": ADAM},
    "prior": api.Normal((2,)),
    "batch": 4,
}


def test_what_fits_is_taken():
    assert api.Method(**FITTING).updates(7) == 7
    assert api.Method(**{**FITTING, "prior": api.Uniform(-1, 1, [3])}).prior.shape == (3,)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"schedule": "exponential"}, "No schedule is named 'exponential'. Known: constant, cosine, linear"),
        ({"schedule": "cosin"}, "Did you mean cosine"),
        ({"schedule": None}, "The schedule None is no name"),
        ({"networks": {"critic": nn.Linear(2, 1)}}, "No network is named 'generator'.*It makes the samples, unless"),
        ({"networks": {**NETWORKS, "critic": None}}, "network critic must be a torch module, not None"),
        ({"networks": {**NETWORKS, "the critic": nn.Linear(2, 1)}}, "networks need names"),
        ({"networks": list(NETWORKS.values())}, "networks must be given by name"),
        (
            {"networks": {**NETWORKS, "critic": NETWORKS["generator"]}},
            "generator.weight and critic.weight are the same tensor",
        ),
        ({"networks": {**NETWORKS, "critic": nn.ReLU()}}, "critic is to learn and has no parameters that do"),
        ({"optimizers": {}}, "critic is to learn and has no optimizer"),
        ({"optimizers": {"critic": ADAM, "critc": ADAM}}, "No network is named 'critc'. Did you mean critic"),
        ({"optimizers": {"critic": ADAM, "generator": ADAM}}, "'generator'.*It has an optimizer.*and no phase"),
        ({"optimizers": {"critic": torch.optim.Adam}}, "critic: needs an api.Optimizer"),
        ({"phases": []}, r"phases must be a list of api.Phase, not \[\]"),
        ({"phases": [loss]}, "phases must be a list of api.Phase"),
        ({"phases": [api.Phase("critc", loss, {})]}, "No network is named 'critc'. Did you mean critic"),
        ({"landscape": "discriminator"}, "No network is named 'discriminator'.*landscape"),
        ({"landscape": ["critic"]}, r"The network \['critic'\] is no name"),
        ({"prior": api.Real()}, r"prior must be noise such as api.Normal"),
        ({"prior": (2,)}, "prior must be noise"),
        ({"prior": api.Normal}, "prior must be noise"),
        ({"batch": 0}, "batch must be a whole number from 1 on, not 0"),
        ({"batch": 2.5}, "batch must be a whole number"),
        ({"batch": True}, "batch must be a whole number"),
    ],
)
def test_method_that_says_what_the_engine_cannot_do_is_refused(change, message):
    with pytest.raises(api.GenbenchError, match=message):
        api.Method(**{**FITTING, **change})


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: api.Optimizer("nadam", 1e-3), "No optimizer is named 'nadam'. Did you mean adam"),
        (lambda: api.Optimizer("", 1e-3), "No optimizer is named ''. Known: adam, adamw, rmsprop, sgd"),
        (lambda: api.Optimizer("adam", 0), "lr must be a number above zero, not 0"),
        (lambda: api.Optimizer("adam", -1e-3), "lr must be a number above zero"),
        (lambda: api.Optimizer("adam", float("nan")), "lr must be a number above zero, not nan"),
        (lambda: api.Optimizer("adam", "1e-3"), "lr must be a number above zero, not '1e-3'"),
        (lambda: api.Optimizer("adam", 1e-3, beta1=1.0), r"beta1 must lie in \[0, 1\), not 1.0"),
        (lambda: api.Optimizer("adam", 1e-3, beta2=-0.1), r"beta2 must lie in \[0, 1\)"),
        (lambda: api.Phase((), loss, {}), "networks must be the name of one, or a tuple of names"),
        (lambda: api.Phase(None, loss, {}), "networks must be the name of one"),
        (lambda: api.Phase(("critic", "critic"), loss, {}), "critic.critic: networks must differ"),
        (lambda: api.Phase("critic", loss, {}, every=0), "every must be a whole number from 1 on"),
        (lambda: api.Phase("critic", loss, {}, batch=2.0), "batch must be a whole number from 1 on"),
        (lambda: api.Phase("critic", loss, {"step": api.Real()}), "draws must not be named as what every batch has"),
        (lambda: api.Optimizer("adamw", 1e-3, weight_decay=-1), "weight_decay must be a number from zero on"),
        (lambda: api.Optimizer("adam", 1e-3, epsilon="tiny"), "epsilon must be a number from zero on"),
        (
            lambda: api.Optimizer("rmsprop", 1e-3, beta1=0.5),
            "rmsprop has no beta1: it must be left out, 0 or 0.9, not 0.5",
        ),
        (lambda: api.Optimizer("sgd", 1e-3, beta2=0.5), "sgd has no beta2: it must be left out"),
        (lambda: api.Optimizer("sgd", 1e-3, epsilon=1e-3), "sgd has no epsilon: it must be left out"),
        (lambda: api.Optimizer("adam", 1e-3, warmup=0.1), "warmup must be a whole number of generator steps"),
        (lambda: api.Optimizer("adam", 1e-3, schedule="step"), "No schedule is named 'step'"),
        (lambda: api.Phase("critic", None, {}), "critic: loss must be a function"),
        (lambda: api.Phase("critic", loss, {"real": api.Real}), "real must be api.Real()"),
        (lambda: api.Phase("critic", loss, {"noise": (2,)}), r"noise must be api.Real\(\), api.Labels\(\), or noise"),
        (lambda: api.Phase("critic", loss, {"the noise": api.Real()}), "names for attributes"),
        (lambda: api.Phase("critic", loss, [api.Real()]), "draws must say by name"),
        (lambda: api.Phase("critic", loss, {}, repeats=0), "repeats must be a whole number from 1 on, not 0"),
        (lambda: api.Phase("critic", loss, {}, after=0.01), "after must be a function of parameters, not 0.01"),
        (lambda: api.Normal(2), r"api.Normal: shape must be a tuple .* not 2"),
        (lambda: api.Normal((0,)), "shape must be a tuple"),
        (lambda: api.Uniform(shape=2.0), "api.Uniform: shape must be a tuple"),
        (lambda: api.Uniform((2,)), r"Its shape comes third: api.Uniform\(shape=\(2,\)\)"),
        (lambda: api.Uniform(1, 1), "low must be a number below high"),
        (lambda: api.Uniform(0, float("inf")), "both finite"),
    ],
)
def test_parts_that_say_what_the_engine_cannot_do_are_refused(make, message):
    with pytest.raises(api.GenbenchError, match=message):
        make()


class Coin:
    """Noise of one's own: labels of 0 and 1, which are no floats."""

    shape = (1,)

    def sample(self, lead, rng):
        return torch.randint(2, (*lead, 1), generator=rng, device=rng.device)


class Lying(Coin):
    """Noise that is not of the shape that it says."""

    shape = (2,)


def of(problem, prior):
    """A method that learns the mean of its samples, of any prior."""

    class Scaled(nn.Module):
        def __init__(self):
            super().__init__()
            self.scale = nn.Parameter(torch.ones(2))

        def forward(self, noise):
            return self.scale * noise.to(self.scale.dtype)

    def distance(nets, batch):
        return (nets.generator(batch.noise).mean(0) - batch.real.mean(0)).square().sum()

    return api.Method(
        networks={"generator": problem.initialised("generator", lambda rng: Scaled())},
        phases=[api.Phase("generator", distance, {"real": api.Real(), "noise": prior})],
        optimizers={"generator": ADAM},
        prior=prior,
        batch=8,
    )


@pytest.mark.parametrize(
    ("prior", "values"),
    [(api.Uniform(3, 5, (2,)), (3, 5)), (Coin(), (0, 1)), (api.Normal((2,)), (-9, 9))],
    ids=["uniform", "coin", "normal"],
)
@pytest.mark.usefixtures("forgetful")
def test_samples_are_drawn_as_training_draws_them(prior, values, training):
    @api.trainer("mean")
    def mean(problem: api.Problem) -> api.Method:
        return of(problem, prior)

    drawn = training("mean").stack.sample(500, [torch.Generator().manual_seed(0)])
    assert drawn.shape == (1, 500, 2)
    assert values[0] <= drawn.min() < drawn.max() <= values[1]
    if isinstance(prior, Coin):
        assert set(drawn.unique().tolist()) == {0, 1}


@pytest.mark.usefixtures("forgetful")
def test_noise_of_another_shape_than_it_says_is_refused(training):
    @api.trainer("lying")
    def lying(problem: api.Problem) -> api.Method:
        return of(problem, Lying())

    with pytest.raises(api.GenbenchError, match=r"says its shape is \(2,\), and drew .*: return"):
        training("lying").run(1.0)


@pytest.mark.parametrize("built", [None, 3, nn.Linear(2, 2), api.Method], ids=str)
@pytest.mark.usefixtures("forgetful")
def test_builder_that_gives_neither_a_method_nor_a_trainer_is_refused(built, training):
    @api.trainer("forgot")
    def forgot(problem: api.Problem) -> api.Method:
        return built

    with pytest.raises(api.GenbenchError, match=r"The trainer forgot gave .* Let it return an api.Method, or an"):
        training("forgot")
