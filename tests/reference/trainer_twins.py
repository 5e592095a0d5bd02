"""Every trainer's losses as one would write them for it alone, slowly, from the papers: autograd, loops, plain modules.

A twin takes a trainer's parameters and gives its phases in order: the networks that learn, and their loss of networks
and batch. `Loop` updates by torch's own optimisers.
"""

import copy
import math

import torch
from torch.distributions import Bernoulli, Normal
from torch.nn.functional import binary_cross_entropy_with_logits as cross_entropy

SLOPE_FLOOR = 1e-3
"""Of the splines' bins and knots."""


class Loop:
    """Updates of one trainer, on copies of the networks that it starts from and on the batches that it sees."""

    def __init__(self, name, p, method):
        twin = TWINS[name]
        self.phases = twin(p, self) if name == "unrolled" else twin(p)
        self.p, self.method, self.number, self.share = p, method, 0, 0.0
        self.networks = {name: copy.deepcopy(own).requires_grad_(True) for name, own in method.networks.items()}
        self.rules = {name: rule(own.parameters(), method.optimizers[name]) for name, own in self.networks.items()}

    def rate(self, name):
        return self.method.rate(name, self.number, self.share)

    def step(self, batches, share):
        """One generator step; `batches` are a phase's draws `(repeats, 1, batch, *event)` by name, or None."""
        self.share = share
        for (names, loss), draws in zip(self.phases, batches, strict=True):
            if draws is None:
                continue
            for repeat in range(len(next(iter(draws.values())))):
                batch = {name: values[repeat, 0] for name, values in draws.items()}
                batch["progress"] = share
                for network in self.networks.values():
                    network.zero_grad()
                loss(self.networks, batch).backward()
                for name in names:
                    for weight in self.networks[name].parameters():
                        weight.grad = torch.zeros_like(weight) if weight.grad is None else weight.grad
                    for group in self.rules[name].param_groups:
                        group["lr"] = self.rate(name)
                    self.rules[name].step()
                    if "clip" in self.p and name == "critic":
                        for weight in self.networks[name].parameters():
                            weight.data.clamp_(-self.p["clip"], self.p["clip"])
        self.number += 1

    def weights(self):
        return {
            f"{name}.{key}": value for name, own in self.networks.items() for key, value in own.state_dict().items()
        }


def rule(parameters, spec):
    if spec.name == "rmsprop":
        return torch.optim.RMSprop(parameters, lr=spec.lr, alpha=spec.beta2, foreach=False)
    return torch.optim.Adam(parameters, lr=spec.lr, betas=(spec.beta1, spec.beta2), foreach=False)


def says(scores, truth):
    """How badly logits say whether samples are real: mean binary cross-entropy with one label for all."""
    return cross_entropy(scores, torch.full_like(scores, float(truth)))


def slopes(network, x):
    """‖∇network(x)‖ for each sample, by autograd, one sample at a time."""
    found = []
    for row in x:
        row = row[None].detach().requires_grad_()
        (gradient,) = torch.autograd.grad(network(row).sum(), row, create_graph=True)
        found.append(gradient.square().sum().sqrt())
    return torch.stack(found)


def adversarial(discriminates, generates, judge="discriminator"):
    return [((judge,), discriminates), (("generator",), generates)]


def cheats(n, b):
    """The non-saturating generator's loss."""
    return says(n["discriminator"](n["generator"](b["noise"])), 1)


def classifies(n, b):
    """The GAN's discriminator's loss."""
    return says(n["discriminator"](b["real"]), 1) + says(n["discriminator"](n["generator"](b["noise"])), 0)


def gan(p):
    return adversarial(classifies, cheats)


def wasserstein(n, b):
    return n["critic"](n["generator"](b["noise"])).mean() - n["critic"](b["real"]).mean()


def criticised(n, b):
    return -n["critic"](n["generator"](b["noise"])).mean()


def wgan(p):
    return adversarial(wasserstein, criticised, "critic")


def wgan_gp(p):
    def critic(n, b):
        between = b["mix"] * b["real"] + (1 - b["mix"]) * n["generator"](b["noise"])
        return wasserstein(n, b) + p["penalty"] * ((slopes(n["critic"], between) - 1) ** 2).mean()

    return adversarial(critic, criticised, "critic")


def lsgan(p):
    a, b_, c = (0, 1, 1) if p["coding"] == "binary" else (-1, 1, 0)

    def discriminator(n, b):
        real, fake = n["discriminator"](b["real"]), n["discriminator"](n["generator"](b["noise"]))
        return ((real - b_) ** 2).mean() / 2 + ((fake - a) ** 2).mean() / 2

    return adversarial(
        discriminator, lambda n, b: ((n["discriminator"](n["generator"](b["noise"])) - c) ** 2).mean() / 2
    )


def hinge(p):
    def critic(n, b):
        real, fake = n["critic"](torch.cat([b["real"], n["generator"](b["noise"])])).chunk(2)
        zero = torch.zeros_like(real)
        return torch.maximum(zero, 1 - real).mean() + torch.maximum(zero, 1 + fake).mean()

    return adversarial(critic, criticised, "critic")


def r1(p):
    def flat(n, b):
        return p["penalty"] / 2 * (slopes(n["discriminator"], b["real"]) ** 2).mean()

    if p["every"] == 1:
        return adversarial(lambda n, b: classifies(n, b) + flat(n, b), cheats)
    return [
        (("discriminator",), lambda n, b: p["every"] * p["critic_steps"] * flat(n, b)),
        *adversarial(classifies, cheats),
    ]


def rpgan(p):
    def paired(n, b, truth):
        """Whether the real sample of each pair scores higher than the fake."""
        return says(n["discriminator"](b["real"]) - n["discriminator"](n["generator"](b["noise"])), truth)

    def discriminator(n, b):
        loss = paired(n, b, 1) if p["relativistic"] else classifies(n, b)
        loss = loss + p["r1"] / 2 * (slopes(n["discriminator"], b["real"]) ** 2).mean()
        return loss + p["r2"] / 2 * (slopes(n["discriminator"], n["generator"](b["noise"])) ** 2).mean()

    return adversarial(discriminator, lambda n, b: paired(n, b, 0) if p["relativistic"] else cheats(n, b))


def dragan(p):
    def discriminator(n, b):
        numbers = b["real"].flatten()
        std = ((numbers - numbers.mean()) ** 2).sum().div(len(numbers) - 1).sqrt()
        near = b["real"] + p["spread"] * std * b["around"]
        return classifies(n, b) + p["penalty"] * ((slopes(n["discriminator"], near) - 1) ** 2).mean()

    return adversarial(discriminator, cheats)


def pacgan(p):
    def packed(x):
        """`pack` samples after each other side by side, pack by pack."""
        return torch.stack([torch.cat(list(x[i : i + p["pack"]])) for i in range(0, len(x), p["pack"])])

    def discriminator(n, b):
        real, fake = packed(b["real"]), packed(n["generator"](b["noise"]))
        return says(n["discriminator"](real), 1) + says(n["discriminator"](fake), 0)

    return adversarial(discriminator, lambda n, b: says(n["discriminator"](packed(n["generator"](b["noise"]))), 1))


def unrolled(p, loop):
    """f_K of equations 4 and 9, descended as equation 10 says, with Adam written out so that autograd goes through it.

    Adam starts from the slots that the discriminator's has. ln D and ln(1 − D) are written as they stand there.
    """

    def generator(n, b):
        judge, fake = n["discriminator"], n["generator"](b["noise"])
        weights = dict(judge.named_parameters())
        held = [loop.rules["discriminator"].state[weight] for weight in weights.values()]
        slots = {
            name: (own["step"], own["exp_avg"], own["exp_avg_sq"]) for name, own in zip(weights, held, strict=True)
        }
        for _ in range(p["steps"]):
            real = torch.func.functional_call(judge, weights, (b["real"],))
            loss = says(real, 1) + says(torch.func.functional_call(judge, weights, (fake,)), 0)
            gradients = torch.autograd.grad(loss, list(weights.values()), create_graph=True)
            for name, gradient in zip(list(weights), gradients, strict=True):
                step, mean, square = slots[name]
                step, mean = step + 1, p["beta1"] * mean + (1 - p["beta1"]) * gradient
                square = p["beta2"] * square + (1 - p["beta2"]) * gradient**2
                slots[name] = step, mean, square
                mean, square = mean / (1 - p["beta1"] ** step), square / (1 - p["beta2"] ** step)
                root = torch.where(square > 0, square, 1.0).sqrt() * (square > 0)  # whose slope at zero isn't infinite
                weights[name] = weights[name] - loop.rate("discriminator") * mean / (root + 1e-8)
        real, made = (torch.func.functional_call(judge, weights, (x,)).sigmoid() for x in (b["real"], fake))
        return real.log().mean() + (1 - made).log().mean()

    return adversarial(classifies, generator)


def ali(p):
    def pairs(n, b):
        mean, log_std = n["encoder"](b["real"]).split(p["latent"], 1)
        inferred = mean + log_std.exp() * b["epsilon"]
        real = torch.cat([b["real"], inferred], 1)
        return n["discriminator"](real), n["discriminator"](torch.cat([n["generator"](b["noise"]), b["noise"]], 1))

    def discriminator(n, b):
        real, fake = pairs(n, b)
        return says(real, 1) + says(fake, 0)

    def both(n, b):
        real, fake = pairs(n, b)
        return says(real, 0) + says(fake, 1)

    return [(("discriminator",), discriminator), (("generator", "encoder"), both)]


def veegan(p):
    def discriminator(n, b):
        made = torch.cat([n["generator"](b["noise"]), b["noise"]], 1)
        mapped = torch.cat([b["real"], n["reconstructor"](b["real"]) + b["epsilon"]], 1)
        return says(n["discriminator"](made), 1) + says(n["discriminator"](mapped), 0)

    def both(n, b):
        made = n["generator"](b["noise"])
        about = Normal(n["reconstructor"](made), 1.0)
        missed = -about.log_prob(b["noise"]).sum(1).mean() - p["latent"] / 2 * math.log(2 * math.pi)
        return n["discriminator"](torch.cat([made, b["noise"]], 1)).mean() + p["reconstruction"] * missed

    return [(("discriminator",), discriminator), (("generator", "reconstructor"), both)]


def vae(p):
    def negative_bound(n, b):
        mean, log_std = n["encoder"](b["real"]).chunk(2, 1)
        posterior, prior = Normal(mean, log_std.exp()), Normal(0.0, 1.0)
        z = mean + log_std.exp() * b["epsilon"]
        said = n["generator"](z)
        if p["decoder"] == "gaussian":
            decoded = Normal(said[:, :2], said[:, 2:].exp()).log_prob(b["real"])
        else:
            decoded = Bernoulli(logits=said, validate_args=False).log_prob((b["real"] + 1) / 2)
        divergence = (posterior.log_prob(z) - prior.log_prob(z)).sum(1)
        return (p["beta"] * min(1.0, b["progress"] / p["warmup"]) * divergence - decoded.sum(1)).mean()

    return [(("generator", "encoder"), negative_bound)]


def realnvp(p):
    def affine(x, said, coupling):
        largest = coupling.largest[0]
        s = largest * torch.tanh(said[0] / largest)
        return x * torch.exp(s) + said[1], s

    return [(("flow",), likelihood_of(affine))]


def nsf(p):
    def spline(x, said, coupling):
        """In one bin after the other: which holds x, and the slope there by autograd."""
        bins = p["bins"]
        shares = [(1 - bins * SLOPE_FLOOR) * logits.softmax(0) + SLOPE_FLOOR for logits in said[: 2 * bins].chunk(2)]
        inner = [
            torch.nn.functional.softplus(s + math.log(math.exp(1 - SLOPE_FLOOR) - 1)) + SLOPE_FLOOR
            for s in said[2 * bins :]
        ]
        slopes = [torch.ones(()), *inner, torch.ones(())]
        left = low = torch.tensor(-5.0)
        for k in range(bins):
            width, height = 10 * shares[0][k], 10 * shares[1][k]
            if left <= x < left + width:
                share = (x - left) / width
                mean, mixed = height / width, share * (1 - share)
                over = mean * share**2 + slopes[k] * mixed
                under = mean + (slopes[k + 1] + slopes[k] - 2 * mean) * mixed
                moved = low + height * over / under
                rise = mean**2 * (slopes[k + 1] * share**2 + 2 * mean * mixed + slopes[k] * (1 - share) ** 2) / under**2
                return moved, rise.log()
            left, low = left + width, low + height
        return x, torch.zeros(())

    return [(("flow",), likelihood_of(spline))]


def likelihood_of(transform):
    """The negative log-likelihood of points in the plane, each coordinate moved in turn, one point at a time."""

    def loss(n, b):
        found = []
        for point in b["real"]:
            x, volume = list(point), 0.0
            for i, coupling in enumerate(n["flow"].couplings):
                kept = i % 2
                said = coupling.conditioner(x[kept][None, None])[0]
                x[1 - kept], log_slope = transform(x[1 - kept], said, coupling)
                volume = volume + log_slope
            found.append(volume + sum(Normal(0.0, 1.0).log_prob(value) for value in x))
        return -torch.stack(found).mean()

    return loss


def ddpm(p):
    def simple(n, b):
        """A sample at a time, with ᾱ_t as the table that the cosine makes of it."""
        table = [math.cos((t / p["steps"] + 0.008) / 1.008 * math.pi / 2) ** 2 for t in range(p["steps"] + 1)]
        table = [each / table[0] for each in table]
        found = []
        for x, epsilon, u in zip(b["real"], b["epsilon"], b["time"], strict=True):
            t = 1 + math.floor(u.item() * p["steps"])
            kept = max(table[t], 1e-4)
            noisy = math.sqrt(kept) * x + math.sqrt(1 - kept) * epsilon
            found.append((denoised(n["denoiser"], noisy, t / p["steps"]) - epsilon) ** 2)
        return torch.stack(found).mean()

    return [(("denoiser",), simple)]


def flow_matching(p):
    def loss(n, b):
        found = []
        for x, z, u in zip(b["real"], b["noise"], b["time"], strict=True):
            found.append((denoised(n["velocity"], (1 - u) * z + u * x, u.item()) - x + z) ** 2)
        return torch.stack(found).mean()

    return [(("velocity",), loss)]


def denoised(network, x, time):
    """A denoiser of one sample, by its layers and its share of the sample itself."""
    angles = [2**k * math.pi / 2 * time for k in range(8)]
    sines, cosines = [math.sin(a) for a in angles], [math.cos(a) for a in angles]
    seen = torch.stack([torch.as_tensor(value) for value in (*x, *sines, *cosines)])
    share = sum(w * m for w, m in zip(network.share[:, 0], (*sines[:2], *cosines[:2]), strict=True))
    return network.layers(seen[None])[0] + share * x


TWINS = {
    "gan": gan,
    "wgan": wgan,
    "wgan-gp": wgan_gp,
    "lsgan": lsgan,
    "hinge": hinge,
    "sngan": hinge,
    "r1": r1,
    "rpgan": rpgan,
    "dragan": dragan,
    "pacgan": pacgan,
    "unrolled": unrolled,
    "ali": ali,
    "veegan": veegan,
    "vae": vae,
    "realnvp": realnvp,
    "nsf": nsf,
    "ddpm": ddpm,
    "flow-matching": flow_matching,
}
