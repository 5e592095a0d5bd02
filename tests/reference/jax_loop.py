"""The WGAN-GP critic's update in JAX, jitted whole: what another compiler makes of the same arithmetic."""

from itertools import pairwise

import jax
import jax.numpy as jnp


class JaxLoop:
    """One critic step of WGAN-GP; data and noise are drawn before, as the engine draws its blocks."""

    def __init__(self, p):
        self.p = p
        keys = iter(jax.random.split(jax.random.PRNGKey(0), 64))
        self.generator = network(next(keys), p["latent"], 2, p)
        self.critic = network(next(keys), 2, 1, p)
        zeros = jax.tree.map(jnp.zeros_like, self.critic)
        self.slots, self.count = (zeros, zeros), 0
        shape = (p["batch"], 2)
        self.batch = jax.random.normal(next(keys), shape), jax.random.normal(next(keys), (p["batch"], p["latent"]))
        self.mix = jax.random.uniform(next(keys), (p["batch"], 1))
        self.step = jax.jit(self.update)

    def critic_step(self):
        self.count += 1
        self.critic, self.slots = self.step(
            self.critic, self.slots, self.generator, *self.batch, self.mix, float(self.count)
        )
        jax.block_until_ready(self.critic)

    def update(self, critic, slots, generator, real, noise, mix, count):
        gradient = jax.grad(self.loss)(critic, generator, real, noise, mix)
        b1, b2, lr = self.p["beta1"], self.p["beta2"], self.p["lr"]
        mean = jax.tree.map(lambda m, g: b1 * m + (1 - b1) * g, slots[0], gradient)
        square = jax.tree.map(lambda v, g: b2 * v + (1 - b2) * g * g, slots[1], gradient)

        def move(weight, m, v):
            return weight - lr * (m / (1 - b1**count)) / (jnp.sqrt(v / (1 - b2**count)) + 1e-8)

        return jax.tree.map(move, critic, mean, square), (mean, square)

    def loss(self, critic, generator, real, noise, mix):
        fake = apply(generator, noise)
        between = mix * real + (1 - mix) * fake
        slope = jax.grad(lambda x: apply(critic, x).sum())(between)
        norm = jnp.sqrt((slope**2).sum(1))
        fakes, reals = jnp.split(apply(critic, jnp.concatenate([fake, real])), 2)
        return fakes.mean() - reals.mean() + self.p["penalty"] * ((norm - 1) ** 2).mean()


def network(key, inputs, outputs, p):
    widths = [inputs, *[p["width"]] * p["depth"], outputs]
    layers = []
    for before, after in pairwise(widths):
        key, own = jax.random.split(key)
        bound = before**-0.5
        layers.append((jax.random.uniform(own, (before, after), minval=-bound, maxval=bound), jnp.zeros(after)))
    return layers


def apply(layers, x):
    *hidden, (weight, bias) = layers
    for w, b in hidden:
        x = jax.nn.relu(x @ w + b)
    return x @ weight + bias
