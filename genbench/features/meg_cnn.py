"""What tells handwritten digits apart beside arXiv:1901.08508: 50 features and 10 logits a channel."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import max_pool2d

from genbench.features import Extracted
from genbench.features.convolutional import Architecture, Convolutional, Layer, shipped

NAME = "meg-cnn-1"
ARCHITECTURE = Architecture(
    channels=1,
    side=28,
    layers=(Layer(10, kernel=5), Layer(20, kernel=5)),
    heads=1,
    classes=10,
    hidden=50,
)


class Pooled(nn.Module):
    """Convolutions without a border, the largest of each 2 × 2 of theirs, ReLU, and a hidden layer.

    It sees images in [−1, 1] from 0 to 1, and while it trains not all of what it made of them: see `features`.
    """

    def __init__(self, architecture: Architecture) -> None:
        super().__init__()
        self.architecture = architecture
        channels, side, convolutions = architecture.channels, architecture.side, list[nn.Module]()
        for width, kernel, stride in architecture.layers:
            convolutions.append(nn.Conv2d(channels, width, kernel, stride))
            channels, side = width, ((side - kernel) // stride + 1) // 2
        self.convolutions = nn.ModuleList(convolutions)
        self.hidden = nn.Linear(channels * side**2, architecture.hidden)
        self.head = nn.Linear(architecture.hidden, architecture.heads * architecture.classes)

    def features(self, images: Tensor, kept: tuple[Tensor | float, Tensor | float] = (1.0, 1.0)) -> Tensor:
        """Of images `(n, channels, side, side)`: `(n, hidden)`.

        The last convolution's channels are multiplied by the first of `kept`, `(n, width, 1, 1)`, and the features by
        the second, `(n, hidden)`: dropout.
        """
        activations = (images + 1) / 2
        for convolution in self.convolutions:
            activations = convolution(activations)
            if convolution is self.convolutions[-1]:
                activations = activations * kept[0]
            activations = max_pool2d(activations, 2).relu()
        hidden: Tensor = self.hidden(activations.flatten(1))
        return hidden.relu() * kept[1]

    def logits(self, features: Tensor) -> Tensor:
        """Of features `(n, hidden)`: `(n, heads, classes)`."""
        answers: Tensor = self.head(features)
        return answers.view(len(answers), self.architecture.heads, -1)

    def forward(self, images: Tensor) -> Extracted:
        features = self.features(images)
        return Extracted(features, self.logits(features))


def meg_cnn() -> Convolutional:
    """The extractor; raises GenbenchError where its weights are damaged."""
    found = shipped(NAME, ARCHITECTURE, by_channel=True, made=Pooled)
    found.network.to(memory_format=torch.channels_last)  # takes half as long, most of it to pool
    return found
