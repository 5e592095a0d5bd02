"""What tells pieces of clothing apart: 64 features and 10 logits, of grey images."""

from genbench.features.convolutional import Convolutional, shipped
from genbench.features.mnist_cnn import ARCHITECTURE

NAME = "fashion-cnn-1"


def fashion_cnn() -> Convolutional:
    """The extractor; raises GenbenchError where its weights are damaged."""
    return shipped(NAME, ARCHITECTURE, by_channel=True)
