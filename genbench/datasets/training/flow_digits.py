"""Trains the flow that is the truth of `flow-digits`, on MNIST's training digits, and writes its weights and card.

With GENBENCH_DATA set, in about ten minutes on one core:

    python -m genbench.datasets.training.flow_digits

Digits are the means of 3 × 3 pixels of MNIST's central 24 × 24, dequantised by Gaussian noise that is drawn anew at
each step. The flow learns ln p(x, c), pixels and digit, by maximum likelihood. One thread and fixed seeds: the same
machine, torch and genbench write the same weights.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import math
import time
from pathlib import Path
from typing import Any, NamedTuple

import torch
from safetensors.torch import save
from torch import Generator, Tensor, nn
from torch.nn.functional import avg_pool2d

from genbench import seeding
from genbench.datasets.base import Part
from genbench.datasets.flows import CLASSES, NAME, SIZE, WEIGHTS, ClassFlow, Couplings, FlowDigits, loaded
from genbench.datasets.images import HALF_RANGE
from genbench.registry import datasets

SEED = 0
DATASET = "mnist[size=28]"
MARGIN, CELL = 2, 3
"""Pixels that are cut off at each side, and the side of the squares whose means are the pixels of 8 × 8."""


class FlowRecipe(NamedTuple):
    """How the flow is trained: Adam under a learning rate that rises for a fiftieth of the time and then falls."""

    couplings: Couplings = Couplings()
    noise: float = 0.1
    steps: int = 10_000
    batch: int = 256
    lr: float = 2e-3
    clip: float = 20.0
    draws: int = 200_000


def digits_of(part: Part) -> tuple[Tensor, Tensor]:
    """All digits of a part of MNIST as rows of 8 × 8 pixels `(n, 64)` in [−1, 1], and which digits they are `(n,)`."""
    assert part.labels is not None
    whole = part.at(torch.arange(len(part)))[..., MARGIN:-MARGIN, MARGIN:-MARGIN]
    return avg_pool2d(whole, CELL).flatten(1), part.labels


def dequantised(x: Tensor, recipe: FlowRecipe, rng: Generator) -> Tensor:
    """Pixels with Gaussian noise, which unlike uniform noise leaves no edges for a smooth density to bend around."""
    return x + recipe.noise * torch.randn(x.shape, generator=rng)


def trained(recipe: FlowRecipe, x: Tensor, labels: Tensor) -> ClassFlow:
    """A flow that has learnt ln p(x, c) of pixels `(n, 64)` and their classes `(n,)`."""
    order, noise = (seeding.stream(SEED, role) for role in ("order", "dequantisation"))
    flow = ClassFlow(recipe.couplings, seeding.stream(SEED, "initial weights"))
    flow.mean.copy_(x.mean(0))
    flow.std.copy_((x.var(0) + recipe.noise**2).sqrt())
    flow.log_shares.copy_((torch.bincount(labels, minlength=len(CLASSES)) / len(labels)).log())
    optimizer = torch.optim.Adam(flow.parameters(), recipe.lr)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: _rate(step / recipe.steps))
    began = time.monotonic()
    for step in range(recipe.steps):
        places = torch.randint(len(x), (recipe.batch,), generator=order)
        joint = flow.joint(dequantised(x[places], recipe, noise))
        loss = -joint.gather(1, labels[places, None]).mean()
        optimizer.zero_grad()
        torch.autograd.backward(loss)
        nn.utils.clip_grad_norm_(flow.parameters(), recipe.clip)
        optimizer.step()
        schedule.step()
        if (step + 1) % 500 == 0:
            print(f"step {step + 1}: {loss.item():.2f} nats, {time.monotonic() - began:.0f} s", flush=True)
    return flow


def measured(target: FlowDigits, part: Part, recipe: FlowRecipe) -> dict[str, Any]:
    """What a card says of a part of MNIST that the flow was not trained on.

    `bits_per_dim` is that of the dequantised pixels in grey levels 0 … 255; `accuracy` is the share of digits that the
    flow's own p(c|x) tells right.
    """
    x, labels = digits_of(part)
    x = dequantised(x, recipe, seeding.stream(SEED, "dequantisation"))
    nll = -target.log_prob(x).mean().item()
    right = (target.class_log_prob(x).argmax(1) == labels).double().mean().item()
    return {
        "images": len(x),
        "nll": round(nll, 3),
        "bits_per_dim": round((nll / SIZE + math.log(HALF_RANGE)) / math.log(2), 4),
        "accuracy": round(right, 4),
    }


def entropy_of(target: FlowDigits, draws: int) -> dict[str, Any]:
    """The mean of −ln p over so many draws of the target, in nats, and its standard error."""
    surprise = -target.log_prob(target.sample(draws, seeding.stream(SEED, "entropy")))
    error = surprise.std().item() / math.sqrt(draws)
    return {"entropy": round(surprise.mean().item(), 4), "standard_error": round(error, 4), "draws": draws}


def make(folder: Path, recipe: FlowRecipe) -> dict[str, Any]:
    """Trains the flow, writes its weights, as float16, and its card to `folder`, and returns the card."""
    mnist = datasets.build(DATASET)
    x, labels = digits_of(mnist.train)
    began = time.process_time()
    flow = trained(recipe, x, labels)
    minutes = (time.process_time() - began) / 60
    content = save(halves(flow))
    path, sha256 = folder / f"{NAME}.safetensors", hashlib.sha256(content).hexdigest()
    path.write_bytes(content)
    target = FlowDigits(loaded(path, sha256))  # measured as it ships
    card: dict[str, Any] = {
        "name": NAME,
        "sha256": sha256,
        "architecture": str(recipe.couplings),
        "parameters": sum(parameter.numel() for parameter in flow.parameters()),
        "command": "python -m genbench.datasets.training.flow_digits",
        "trained": {
            "on": "mnist, train, 8 × 8",
            "images": len(x),
            **{name: value for name, value in recipe._asdict().items() if name not in ("couplings", "draws")},
            "minutes": round(minutes, 1),
            "seed": SEED,
            "threads": torch.get_num_threads(),
            "torch": torch.__version__,
        },
        "measured": {
            "held_out": measured(target, mnist.held_out, recipe),
            "reference": measured(target, mnist.reference, recipe),
        },
        "truth": entropy_of(target, recipe.draws),
    }
    (folder / f"{NAME}.json").write_text(json.dumps(card, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    return card


def halves(flow: ClassFlow) -> dict[str, Tensor]:
    """The flow's weights and buffers as they ship: numbers in half precision, orders as bytes."""
    return {
        name: (tensor.half() if tensor.is_floating_point() else tensor.byte()).contiguous()
        for name, tensor in flow.state_dict().items()
    }


def _rate(done: float, warm: float = 0.02) -> float:
    return done / warm if done < warm else 0.5 + 0.5 * math.cos(math.pi * (done - warm) / (1 - warm))


def main() -> None:
    """Makes the flow anew, in the package."""
    argparse.ArgumentParser(
        prog="python -m genbench.datasets.training.flow_digits", description="Trains the flow of flow-digits."
    ).parse_args()
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    card = make(WEIGHTS, FlowRecipe())
    print(json.dumps({part: card[part] for part in ("measured", "truth")}, indent=2))


if __name__ == "__main__":
    main()
