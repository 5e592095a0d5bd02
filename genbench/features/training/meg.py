"""Trains `meg-cnn` as the code of arXiv:1901.08508 trains its classifier, and writes its weights and card.

With GENBENCH_DATA set, in a few minutes on one core:

    python -m genbench.features.training.meg

Stated there: the network, half of the second convolution's channels and of the hidden units dropped while training,
all 60 000 training digits in [0, 1], batches of 64, SGD with a rate of 0.01 and a momentum of 0.5, ten epochs, of which
the one that tells most of the test digits is kept, and the seed 1. Ours are the streams of that seed, on one thread.
"""

from __future__ import annotations

import copy
import hashlib
import json
import math
import time
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save
from torch import Generator, Tensor, nn
from torch.nn.functional import cross_entropy

from genbench import seeding
from genbench.features.convolutional import WEIGHTS, Architecture, Convolutional
from genbench.features.meg_cnn import ARCHITECTURE, NAME, Pooled
from genbench.features.training.data import Labelled, Parts
from genbench.features.training.train import measured, put
from genbench.registry import datasets

SEED = 1
EPOCHS, BATCH = 10, 64
LR, MOMENTUM = 0.01, 0.5
KEPT = 0.5
"""Of the last convolution's channels and of the hidden units, while training."""


def parts() -> Parts:
    """The official training digits, and the test digits, of which the card's figures are and by which it is chosen."""
    digits = datasets.build("mnist[size=28]")
    train, test = digits.train.with_(digits.held_out), digits.reference
    return Parts(
        Labelled("mnist[size=28], train and held out", train, train.labels[:, None], digits.classes),
        Labelled("mnist[size=28], reference", test, test.labels[:, None], digits.classes),
    )


def make(folder: Path) -> dict[str, Any]:
    """Trains the extractor, writes its weights, as float16, and its card to `folder`, and returns the card."""
    train, test = parts()
    network, epoch = trained(ARCHITECTURE, train, test)
    halves = {key: tensor.half().contiguous() for key, tensor in network.state_dict().items()}
    content = save(halves)
    network.load_state_dict(halves)  # measured as it ships
    extractor = Convolutional(NAME, hashlib.sha256(content).hexdigest(), network, by_channel=True)
    card = {
        "name": NAME,
        "sha256": extractor.sha256,
        "architecture": str(ARCHITECTURE),
        "parameters": sum(parameter.numel() for parameter in network.parameters()),
        "features": extractor.size,
        "command": "python -m genbench.features.training.meg",
        "trained": {
            "on": train.origin,
            "images": len(train.labels),
            "note": "As beside arXiv:1901.08508. The epoch was chosen by the accuracy that is measured below.",
            "epochs": EPOCHS,
            "best_epoch": epoch,
            "batch": BATCH,
            "lr": LR,
            "momentum": MOMENTUM,
            "dropout": 1 - KEPT,
            "seed": SEED,
            "threads": torch.get_num_threads(),
            "torch": torch.__version__,
        },
        "measured": {"on": test.origin, "images": len(test.labels)} | measured(extractor, test),
    }
    put(folder, content, card)
    return card


def trained(architecture: Architecture, part: Labelled, judged: Labelled, epochs: int = EPOCHS) -> tuple[Pooled, int]:
    """The network of the epoch after which it told most labels of `judged`, the first such, and that epoch's number."""
    network = _initial(architecture, seeding.stream(SEED, "initial weights"))
    order, drops = seeding.stream(SEED, "order"), seeding.stream(SEED, "dropout")
    optimizer = torch.optim.SGD(network.parameters(), LR, MOMENTUM)
    best, kept = (-1.0, 0), copy.deepcopy(network)
    for epoch in range(1, epochs + 1):
        began = time.monotonic()
        for places in torch.split(torch.randperm(len(part.labels), generator=order), BATCH):
            masks = (
                _mask((len(places), architecture.layers[-1].width, 1, 1), drops),
                _mask((len(places), architecture.hidden), drops),
            )
            logits = network.logits(network.features(part.images.at(places), masks))
            optimizer.zero_grad()
            torch.autograd.backward(cross_entropy(logits.flatten(0, 1), part.labels[places].flatten()))
            optimizer.step()
        accuracy = measured(Convolutional(NAME, "", copy.deepcopy(network), by_channel=True), judged)["accuracy"]
        if accuracy > best[0]:
            best, kept = (accuracy, epoch), copy.deepcopy(network)
        print(f"epoch {epoch}: accuracy {accuracy:.4f}, {time.monotonic() - began:.0f} s", flush=True)
    return kept.eval(), best[1]


def _mask(shape: tuple[int, ...], rng: Generator) -> Tensor:
    return (torch.rand(shape, generator=rng) < KEPT) / KEPT


def _initial(architecture: Architecture, rng: Generator) -> Pooled:
    """torch's first weights and biases, U(−1/√fan-in, 1/√fan-in), of the given stream."""
    with torch.device("meta"):  # so that torch draws no weights from the global stream
        network = Pooled(architecture)
    network.to_empty(device="cpu")
    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.Linear):
            bound = 1 / math.sqrt(module.weight[0].numel())
            for parameter in module.parameters():
                nn.init.uniform_(parameter, -bound, bound, generator=rng)
    return network


def main() -> None:
    """Makes the extractor anew, in the package."""
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    began = time.monotonic()
    card = make(WEIGHTS)
    print(json.dumps(card["measured"], indent=2), f"{(time.monotonic() - began) / 60:.1f} minutes", sep="\n")


if __name__ == "__main__":
    main()
