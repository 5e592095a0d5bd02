"""Inception without its weights at hand: what is refused, what is skipped, and how it takes images."""

import sys
from dataclasses import replace
from importlib.util import find_spec

import foreign_weights
import pytest
import torch

from genbench.errors import GenbenchError, Skip
from genbench.features import extractor, inception
from genbench.registry import extractors

FIDELITY = pytest.mark.skipif(find_spec("torch_fidelity") is None, reason="torch-fidelity is not installed")


@pytest.fixture(autouse=True)
def no_cache(tmp_path, monkeypatch):
    monkeypatch.delenv(inception.VARIABLE, raising=False)
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path / "hub"))
    monkeypatch.setenv("GENBENCH_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def fidelity(monkeypatch):
    """As if torch-fidelity were there, which nothing but the network itself needs."""
    monkeypatch.setattr(inception, "find_spec", lambda name: name)


def test_skips_without_torch_fidelity(monkeypatch):
    monkeypatch.setitem(sys.modules, "torch_fidelity", None)
    monkeypatch.setattr(inception, "find_spec", lambda name: None)
    with pytest.raises(Skip, match=r"pip install 'genbench\[inception\]'"):
        extractor("inception")


def test_skips_without_weights(fidelity):
    with pytest.raises(Skip, match="96 MB: genbench data prepare inception"):
        extractor("inception")


def test_skips_where_the_file_is_not_there(fidelity, monkeypatch, tmp_path):
    monkeypatch.setenv(inception.VARIABLE, str(tmp_path / "absent.pth"))
    with pytest.raises(Skip, match=r"absent\.pth, which is no file"):
        extractor("inception")


def test_skips_where_nothing_can_be_fetched(fidelity, monkeypatch):
    monkeypatch.setenv(inception.VARIABLE, inception.DOWNLOAD)
    monkeypatch.setattr(inception, "INCEPTION", replace(inception.INCEPTION, url="file:///nowhere/to/be/found.pth"))
    with pytest.raises(Skip, match="could not be fetched"):
        extractor("inception")


@pytest.mark.parametrize("where", ["named", inception.FID_FILE, inception.INCEPTION.file])
def test_refuses_another_file(where, fidelity, monkeypatch, tmp_path):
    path = tmp_path / "hub" / "checkpoints" / where
    path.parent.mkdir(parents=True)
    path.write_bytes(b"anything else")
    if where == "named":
        monkeypatch.setenv(inception.VARIABLE, str(path))
    with pytest.raises(GenbenchError, match=r"its SHA-256 is .*, not 6726825d"):
        extractor("inception")


@pytest.fixture
def weights(tmp_path, monkeypatch):
    """A file of some weights that passes for FID's."""
    foreign_weights.of_inception(tmp_path, monkeypatch)


@FIDELITY
@pytest.mark.usefixtures("weights")
def test_sees_as_torchmetrics_does(monkeypatch):
    before = torch.get_rng_state()
    found = extractors["inception"].build()
    images = torch.rand(3, 3, 32, 32, generator=torch.Generator().manual_seed(1)) * 2.4 - 1.2
    features, logits = found(images)
    assert features.shape == (3, 2048) and logits.shape == (3, 1, 1008)
    pixels = (images.clamp(-1, 1) * 127.5 + 127.5).round().byte()
    torch.testing.assert_close(found.network(pixels), features)
    assert torch.equal(torch.get_rng_state(), before)
    assert not found.network.training and not any(p.requires_grad for p in found.network.parameters())
    monkeypatch.setattr(inception, "BLOCK", 2)
    torch.testing.assert_close(found(images).features, features, rtol=1e-4, atol=1e-5)


@FIDELITY
@pytest.mark.usefixtures("weights")
def test_grey_is_repeated_and_two_channels_are_a_skip():
    found = extractors["inception"].build()
    grey = torch.linspace(-1, 1, 256).reshape(1, 1, 16, 16)
    torch.testing.assert_close(found(grey), found(grey.repeat(1, 3, 1, 1)))
    with pytest.raises(Skip, match="1 or 3 channels"):
        found(grey.repeat(1, 2, 1, 1))
