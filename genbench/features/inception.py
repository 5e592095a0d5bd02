"""InceptionV3 as FID knows it, by torchmetrics and torch-fidelity, with weights that the user brings."""

from __future__ import annotations

import hashlib
import os
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path

import torch
from torch import Tensor

from genbench.datasets.images import as_pixels
from genbench.errors import GenbenchError, Skip
from genbench.features import INCEPTION_WEIGHTS, Extracted
from genbench.features.download import INCEPTION
from genbench.features.extraction import follow, some

NAME = "inception"
VARIABLE = INCEPTION_WEIGHTS
DOWNLOAD = "download"
FID_FILE = "pt_inception-2015-12-05-6726825d.pth"
"""What pytorch-fid calls the same file."""

PREPARE = "genbench data prepare inception"
BLOCK = 32
"""So many images are taken at once on a processor; each becomes 3 × 299 × 299."""

HELD_BYTES = 2**25
"""About what the network holds of an image at once."""


class Inception:
    """2048 features, and the logits without bias that the inception score takes, `(n, 1, 1008)`.

    Images become pixels 0 … 255 of uint8, as in files, and are then resized to 299 × 299, bilinearly with antialiasing.
    Grey ones are repeated over the colours. The network follows the images to their device.
    """

    name, size = NAME, 2048

    def __init__(self, weights: Path, sha256: str) -> None:
        from torchmetrics.image.fid import NoTrainInceptionV3

        self.sha256 = sha256
        with torch.random.fork_rng(devices=[]):  # it draws initial weights, only to overwrite them
            self.network = NoTrainInceptionV3(
                self.name, ["2048", "logits_unbiased"], feature_extractor_weights_path=str(weights), antialias=True
            )
        self.network.requires_grad_(False)

    @torch.no_grad()
    def __call__(self, images: Tensor) -> Extracted:
        """Raises Skip for images that are neither grey nor in colour."""
        if images.shape[1] not in (1, 3):
            raise Skip(f"{self.name} takes images of 1 or 3 channels and these have {images.shape[1]}")
        follow(self.network, images)
        blocks = [
            self.network._torch_fidelity_forward(as_pixels(block.float()).expand(-1, 3, -1, -1))
            for block in some(images, BLOCK, HELD_BYTES)
        ]
        features, logits = map(torch.cat, zip(*blocks, strict=True))
        return Extracted(features, logits[:, None])


def inception() -> Inception:
    """The extractor; raises Skip without torch-fidelity or weights, and GenbenchError for other weights than FID's."""
    if find_spec("torch_fidelity") is None:
        raise Skip("inception needs torch-fidelity: pip install 'genbench[inception]'")
    path = _fetched() if os.environ.get(VARIABLE) == DOWNLOAD else weights()
    if (digest := hashlib.sha256(path.read_bytes()).hexdigest()) != INCEPTION.sha256:
        # Checked before it is opened: the file is a pickle, which could run anything.
        raise GenbenchError(
            f"{path} is not {INCEPTION.file}: its SHA-256 is {digest}, not {INCEPTION.sha256}. To fetch it: {PREPARE}"
        )
    return Inception(path, digest)


def weights() -> Path:
    """Where the weights are; raises Skip where they aren't at hand."""
    given = os.environ.get(VARIABLE, "")
    if given and given != DOWNLOAD:
        if not Path(given).is_file():
            raise Skip(f"inception needs its weights and {VARIABLE} names {given}, which is no file; {PREPARE}")
        return Path(given)
    hub = Path(torch.hub.get_dir(), "checkpoints")
    for cached in (INCEPTION.path, hub / INCEPTION.file, hub / FID_FILE):
        if cached.is_file():
            return cached
    raise Skip(f"inception needs its weights, 96 MB: {PREPARE}")


def _fetched() -> Path:
    with suppress(Skip):
        return weights()
    try:
        return INCEPTION.fetch(lambda done, total: None)
    except GenbenchError as error:
        raise Skip(f"inception needs its weights, and {error}") from error
