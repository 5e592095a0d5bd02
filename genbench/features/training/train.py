"""Trains the extractors that ship with genbench, on their dataset's train part alone, and writes weights and cards.

With GENBENCH_DATA set, in five to ten minutes on one core each:

    python -m genbench.features.training.train mnist-cnn
    python -m genbench.features.training.train fashion-cnn
    python -m genbench.features.training.train celeba-cnn

One thread and fixed seeds: the same machine, torch and genbench write the same weights.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import math
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import torch
from safetensors.torch import save
from torch import Generator, Tensor, nn
from torch.nn.functional import cross_entropy

from genbench import seeding
from genbench.features import celeba_cnn, fashion_cnn, mnist_cnn
from genbench.features.convolutional import WEIGHTS, Architecture, Convolutional, Network
from genbench.features.training.augment import Jitter, jittered
from genbench.features.training.data import Labelled, Parts, celeba, fashion, mnist

SEED = 0


class Recipe(NamedTuple):
    """How one extractor is trained: AdamW under a learning rate that rises for a tenth of the time and then falls."""

    name: str
    architecture: Architecture
    parts: Callable[[], Parts]
    jitter: Jitter
    epochs: int
    batch: int = 128
    lr: float = 3e-3
    weight_decay: float = 0.05
    dropout: float = 0.0
    by_channel: bool = False
    note: str = ""


RECIPES = {
    "mnist-cnn": Recipe(
        mnist_cnn.NAME,
        mnist_cnn.ARCHITECTURE,
        mnist,
        Jitter(rotation=12, scale=0.12, shear=0.12, shift=0.06),
        epochs=12,
        by_channel=True,
    ),
    "fashion-cnn": Recipe(
        fashion_cnn.NAME,
        mnist_cnn.ARCHITECTURE,
        fashion,
        Jitter(rotation=5, scale=0.1, shear=0.05, shift=0.05, flip=True),
        epochs=24,
        dropout=0.3,
        by_channel=True,
    ),
    "celeba-cnn": Recipe(
        celeba_cnn.NAME,
        celeba_cnn.ARCHITECTURE,
        celeba,
        # Tints stay as they are: hair has colours, and a distance of features should see them go wrong.
        Jitter(rotation=8, scale=0.1, shear=0.05, shift=0.05, brightness=0.1, contrast=0.2, flip=True),
        epochs=40,
        dropout=0.3,
        weight_decay=0.1,
        note="Made from the first 10 000 images at half resolution, 89 × 109. Other copies make other weights.",
    ),
}


def make(name: str, folder: Path) -> dict[str, Any]:
    """Trains the extractor `name`, writes its weights, as float16, and its card to `folder`, and returns the card."""
    recipe = RECIPES[name]
    parts = recipe.parts()
    network = folded(trained(recipe, parts.train))
    halves = {key: tensor.half().contiguous() for key, tensor in network.state_dict().items()}
    content = save(halves)
    network.load_state_dict(halves)  # measured as it ships
    extractor = Convolutional(recipe.name, hashlib.sha256(content).hexdigest(), network, by_channel=recipe.by_channel)
    card: dict[str, Any] = {
        "name": recipe.name,
        "sha256": extractor.sha256,
        "architecture": str(recipe.architecture),
        "parameters": sum(parameter.numel() for parameter in network.parameters()),
        "features": extractor.size,
        "command": f"python -m genbench.features.training.train {name}",
        "trained": {
            "on": parts.train.origin,
            "images": len(parts.train.labels),
            "note": recipe.note,
            "epochs": recipe.epochs,
            "batch": recipe.batch,
            "lr": recipe.lr,
            "weight_decay": recipe.weight_decay,
            "dropout": recipe.dropout,
            "jitter": recipe.jitter._asdict(),
            "seed": SEED,
            "threads": torch.get_num_threads(),
            "torch": torch.__version__,
        },
        "measured": {"on": parts.reference.origin, "images": len(parts.reference.labels)}
        | measured(extractor, parts.reference),
    }
    put(folder, content, card)
    return card


def put(folder: Path, content: bytes, card: dict[str, Any]) -> None:
    """Writes an extractor's weights and card to `folder`, under the name that the card says."""
    (folder / f"{card['name']}.safetensors").write_bytes(content)
    text = json.dumps(card, indent=2, ensure_ascii=False) + "\n"
    (folder / f"{card['name']}.json").write_text(text, encoding="utf-8")


def trained(recipe: Recipe, part: Labelled) -> Network:
    """The network, normalised, that learnt to tell the labels of `part`."""
    images, labels = part.images, part.labels
    network = _initial(recipe.architecture, seeding.stream(SEED, "initial weights"))
    order, changes, drops = (seeding.stream(SEED, role) for role in ("order", "augmentation", "dropout"))
    matrices = [parameter for parameter in network.parameters() if parameter.dim() > 1]
    vectors = [parameter for parameter in network.parameters() if parameter.dim() == 1]
    groups: list[dict[str, Any]] = [{"params": matrices}, {"params": vectors, "weight_decay": 0.0}]
    optimizer = torch.optim.AdamW(groups, recipe.lr, weight_decay=recipe.weight_decay)
    batches = len(labels) // recipe.batch
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: _rate(step / (recipe.epochs * batches)))
    for epoch in range(recipe.epochs):
        total, began = 0.0, time.monotonic()
        shuffled = torch.randperm(len(labels), generator=order)
        for places in shuffled[: batches * recipe.batch].reshape(batches, recipe.batch):
            features = network.features(jittered(images.at(places), recipe.jitter, changes))
            kept = torch.rand(features.shape, generator=drops) >= recipe.dropout
            logits = network.logits(features * kept / (1 - recipe.dropout))
            loss = cross_entropy(logits.flatten(0, 1), labels[places].flatten())
            optimizer.zero_grad()
            torch.autograd.backward(loss)
            optimizer.step()
            schedule.step()
            total += loss.item()
        print(f"epoch {epoch + 1}: loss {total / batches:.4f}, {time.monotonic() - began:.0f} s", flush=True)
    return network.eval()


def folded(network: Network) -> Network:
    """The same function with batch normalisation multiplied into the convolutions before it."""
    with torch.device("meta"):
        plain = Network(network.architecture)
    modules, kept = list(network.body), list[nn.Module]()
    for module, after in zip(modules, [*modules[1:], nn.Identity()], strict=True):
        if isinstance(module, nn.Conv2d) and isinstance(after, nn.BatchNorm2d):
            kept.append(nn.utils.fuse_conv_bn_eval(module, after))
        elif not isinstance(module, nn.BatchNorm2d):
            kept.append(module)
    plain.body, plain.head = nn.Sequential(*kept), network.head
    return plain


def measured(extractor: Convolutional, part: Labelled) -> dict[str, Any]:
    """What a card says of an extractor's answers to images that it was not trained on."""
    logits = extractor(part.images.at(torch.arange(len(part.labels)))).logits
    right = (logits.argmax(2) == part.labels).double()
    if logits.shape[1] > 1:
        shares = part.labels.double().mean(0)
        majority = torch.maximum(shares, 1 - shares)
        return {
            "accuracy": _rounded(right.mean()),
            "majority": _rounded(majority.mean()),
            "accuracies": dict(zip(part.names, map(_rounded, right.mean(0)), strict=True)),
            "majorities": dict(zip(part.names, map(_rounded, majority), strict=True)),
        }
    return {
        "accuracy": _rounded(right.mean()),
        "confident": _rounded((logits.softmax(2).amax(2) >= 0.9).double().mean()),
        "classes": {name: _rounded(right[part.labels == index].mean()) for index, name in enumerate(part.names)},
    }


def _initial(architecture: Architecture, rng: Generator) -> Network:
    with torch.device("meta"):  # so that torch draws no weights from the global stream
        network = Network(architecture, normalised=True)
    network.to_empty(device="cpu")
    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.Linear):
            nn.init.kaiming_normal_(module.weight, nonlinearity="relu", generator=rng)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
        elif isinstance(module, nn.BatchNorm2d):
            module.reset_parameters()
    return network.to(memory_format=torch.channels_last)


def _rate(done: float, warm: float = 0.1) -> float:
    return done / warm if done < warm else 0.5 + 0.5 * math.cos(math.pi * (done - warm) / (1 - warm))


def _rounded(share: Tensor | float) -> float:
    return round(float(share), 4)


def main() -> None:
    """Makes an extractor anew, in the package."""
    parser = argparse.ArgumentParser(
        prog="python -m genbench.features.training.train", description="Trains an extractor."
    )
    parser.add_argument("name", choices=RECIPES)
    name = parser.parse_args().name
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    began = time.monotonic()
    card = make(name, WEIGHTS)
    print(json.dumps(card["measured"], indent=2), f"{(time.monotonic() - began) / 60:.1f} minutes", sep="\n")


if __name__ == "__main__":
    main()
