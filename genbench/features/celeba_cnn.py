"""What tells CelebA's 40 attributes: 128 features, and a pair of logits, no and yes, for each attribute."""

from genbench.features.convolutional import Architecture, Convolutional, Layer, shipped

NAME = "celeba-cnn-2"
ARCHITECTURE = Architecture(
    channels=3,
    side=64,
    layers=(
        Layer(32, kernel=5, stride=2),
        Layer(48, stride=2),
        Layer(96, stride=2),
        Layer(128),
        Layer(192, stride=2),
        Layer(128),
    ),
    heads=40,
    classes=2,
)


def celeba_cnn() -> Convolutional:
    """The extractor; raises GenbenchError where its weights are damaged."""
    return shipped(NAME, ARCHITECTURE)
