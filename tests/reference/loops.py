"""Training by hand, in the style of the public codes: a pass each for real and fake, autograd's penalty, plain Adam."""

import torch
from torch import nn
from torch.nn.functional import softplus


class EagerLoop:
    """Updates of one trainer's critic and generator as one would write them for it alone.

    Each pass has its own forward and backward, and the optimiser is neither fused nor batched over parameters. Real
    samples are those of `dataset` if there is one, with the `networks` that suit it, else points of a grid.
    """

    def __init__(self, trainer, parameters, device="cpu", dataset=None, networks=None):
        self.trainer, self.p, self.device, self.dataset = trainer, parameters, device, dataset
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            generator, critic = networks or (network(parameters["latent"], 2, parameters), network(2, 1, parameters))
        self.generator, self.critic = generator.to(device), critic.to(device)
        self.update_generator = optimizer(self.generator, parameters)
        self.update_critic = optimizer(self.critic, parameters)
        self.rng = torch.Generator(device).manual_seed(0)
        axis = torch.arange(-2.0, 3.0, device=device) / 2**0.5
        self.centres, self.std = torch.cartesian_prod(axis, axis), 0.025 / 2**0.5

    def real(self):
        if self.dataset is not None:
            return self.dataset.sample(self.p["batch"], self.rng)
        picked = torch.randint(len(self.centres), (self.p["batch"],), generator=self.rng, device=self.device)
        return self.centres[picked] + self.std * self.normal(2)

    def normal(self, size):
        return torch.randn(self.p["batch"], size, generator=self.rng, device=self.device)

    def critic_step(self):
        self.critic.requires_grad_(True)
        self.critic.zero_grad()
        real = self.real()
        with torch.no_grad():
            fake = self.generator(self.normal(self.p["latent"]))
        if self.trainer == "gan":
            softplus(-self.critic(real)).mean().backward()
            softplus(self.critic(fake)).mean().backward()
        else:
            (-self.critic(real).mean()).backward()
            self.critic(fake).mean().backward()
        if self.trainer == "wgan-gp":
            mix = torch.rand(len(real), *[1] * (real.dim() - 1), generator=self.rng, device=self.device)
            between = (mix * real + (1 - mix) * fake).requires_grad_()
            scores = self.critic(between)
            (slope,) = torch.autograd.grad(scores, between, torch.ones_like(scores), create_graph=True)
            (self.p["penalty"] * ((slope.flatten(1).norm(2, dim=1) - 1) ** 2).mean()).backward()
        self.update_critic.step()
        if self.trainer == "wgan":
            for weight in self.critic.parameters():
                weight.data.clamp_(-self.p["clip"], self.p["clip"])

    def generator_step(self):
        self.critic.requires_grad_(False)
        self.generator.zero_grad()
        score = self.critic(self.generator(self.normal(self.p["latent"])))
        (softplus(-score) if self.trainer == "gan" else -score).mean().backward()
        self.update_generator.step()


def network(inputs, outputs, p):
    layers = []
    for _ in range(p["depth"]):
        layers += [nn.Linear(inputs, p["width"]), nn.ReLU()]
        inputs = p["width"]
    return nn.Sequential(*layers, nn.Linear(inputs, outputs))


def optimizer(net, p):
    if p["optimizer"] == "rmsprop":
        return torch.optim.RMSprop(net.parameters(), lr=p["lr"], alpha=p["beta2"], foreach=False)
    return torch.optim.Adam(net.parameters(), lr=p["lr"], betas=(p["beta1"], p["beta2"]), foreach=False)
