"""What tells handwritten digits apart: 64 features and 10 logits a channel, so stacked digits are taken one by one."""

from genbench.features.convolutional import Architecture, Convolutional, Layer, shipped

NAME = "mnist-cnn-1"
ARCHITECTURE = Architecture(
    channels=1,
    side=32,
    layers=(Layer(32, kernel=5, stride=2), Layer(48, stride=2), Layer(96), Layer(128, stride=2), Layer(64)),
    heads=1,
    classes=10,
)


def mnist_cnn() -> Convolutional:
    """The extractor; raises GenbenchError where its weights are damaged."""
    return shipped(NAME, ARCHITECTURE, by_channel=True)
