"""What a plugin's things do wrong is found with a few samples, before anything trains."""

import pytest
import torch
from torch import nn

from genbench import api
from genbench.trials.rehearsal import rehearse_dataset, rehearse_method

OWN = torch.Generator()


def dataset(**changes):
    """A dataset of two classes; what is given replaces what it does."""

    def sample(self, n, rng):
        return self.labelled(n, rng)[0]

    def labelled(self, n, rng):
        picked = torch.randint(2, (n,), generator=rng)
        return torch.randn(n, 2, generator=rng) + picked[:, None], picked

    plain = {"event_shape": (2,), "classes": ("a", "b"), "sample": sample, "labelled": labelled}
    return type("Mine", (api.Dataset,), {**plain, **changes})()


def labels(of):
    return {"labelled": lambda self, n, rng: (self.sample(n, rng), of(n)), "sample": normal}


def normal(self, n, rng):
    return torch.randn(n, 2, generator=rng)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"sample": lambda self, n, rng: torch.randn(n, 2)}, "draws from elsewhere than the stream that it is given"),
        ({"sample": lambda self, n, rng: torch.randn(n, 2, generator=OWN)}, "draws from elsewhere than the stream"),
        ({"sample": lambda self, n, rng: torch.randn(n, 2, generator=rng).numpy()}, "draws ndarray: let it give a"),
        ({"sample": lambda self, n, rng: torch.ones(n, 2, dtype=torch.long)}, "make them torch.float32"),
        ({"sample": lambda self, n, rng: torch.randn(n, 3, generator=rng)}, "The dataset mine's sample made"),
        ({"to": lambda self, device: None}, "gave None, which is none"),
        ({"classes": (0, 1)}, r"classes must be a tuple of different names, not \(0, 1\)"),
        ({"classes": "ab"}, "classes must be a tuple of different names, not 'ab'"),
        ({"classes": ("a", "a")}, "classes must be a tuple of different names"),
        ({"labelled": api.Dataset.labelled, "sample": normal}, "doesn't say which sample is of which: add labelled"),
        (labels(lambda n: torch.full((n,), 2)), "as whole numbers from 0 to 1: torch.long"),
        (labels(lambda n: torch.full((n,), -1)), "as whole numbers from 0 to 1"),
        (labels(lambda n: torch.ones(n)), "torch.long"),
        (labels(lambda n: torch.ones(n, 1, dtype=torch.long)), r"of shape \(8,\)"),
        ({"sample": normal}, "labelled draws other samples than sample does"),
    ],
)
def test_dataset_that_does_not_keep_its_word_is_refused(changes, message):
    with pytest.raises(api.GenbenchError, match=message):
        rehearse_dataset("mine", dataset(**changes))


def test_dataset_that_does_is_taken():
    rehearse_dataset("mine", dataset())


class Global(api.Normal):
    """Noise that draws from the process's stream."""

    def sample(self, lead, rng):
        return torch.randn(*lead, *self.shape)


def method(**changes):
    net = nn.Linear(2, 2)
    loss = changes.pop("loss", lambda nets, batch: nets.generator(batch.noise).mean())
    phase = api.Phase("generator", loss, {"noise": changes.pop("noise", api.Normal((2,)))})
    plain = {"networks": {"generator": net}, "phases": [phase], "optimizers": {"generator": api.Optimizer("sgd", 1)}}
    return api.Method(**{**plain, "prior": api.Normal((2,)), "batch": 4, **changes})


def log_density(nets, x):
    return -0.5 * x.square().sum(1)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"noise": Global((2,))}, r"The draw noise, Global\(shape=\(2,\)\), draws from elsewhere"),
        ({"prior": Global((2,))}, r"The prior Global\(shape=\(2,\)\) draws from elsewhere"),
        ({"log_prob": lambda nets, x: log_density(nets, x + torch.randn_like(x))}, "it is a bound: api.Method.bound="),
        ({"log_prob": lambda nets, x: log_density(nets, (x - x.mean(0)) / 2)}, "look at each sample by itself"),
        ({"log_prob": lambda nets, x: x}, "one number a sample"),
        (
            {"loss": lambda nets, batch: 1.0},
            r"The loss of the phase generator gives 1\.0\. Let it return a scalar tensor",
        ),
        ({"loss": lambda nets, batch: None}, "gives None"),
        ({"loss": lambda nets, batch: nets.generator(batch.noise)}, r"a tensor of shape \(4, 2\)"),
        ({"loss": lambda nets, batch: nets.generator(batch.noise).mean((0, 1), True)}, r"a tensor of shape \(1, 1\)"),
    ],
)
def test_method_that_does_not_keep_its_word_is_refused(changes, message):
    with pytest.raises(api.GenbenchError, match=message):
        rehearse_method(method(**changes), dataset(), api.Problem((2,), 0))


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"loss": lambda nets, batch: 1 / 0},  # which is told where it trains
        {"log_prob": log_density},
        {"log_prob": lambda nets, x: log_density(nets, x + torch.randn_like(x)), "bound": 1},
    ],
)
def test_method_that_does_is_taken(changes):
    rehearse_method(method(**changes), dataset(), api.Problem((2,), 0))


def test_average_is_of_all_that_a_likelihood_may_come_of():
    assert method().makers == ["generator"]
    both = {"networks": {"generator": nn.Linear(2, 2), "flow": nn.Linear(2, 2)}, "log_prob": log_density}
    assert method(**both).makers == ["generator", "flow"]


def test_shared_buffers_are_refused():
    shared = nn.BatchNorm1d(2, affine=False)
    networks = {"generator": nn.Sequential(nn.Linear(2, 2), shared), "critic": nn.Sequential(nn.Linear(2, 1), shared)}
    with pytest.raises(api.GenbenchError, match="are the same tensor"):
        method(networks=networks)
