"""Files of weights that pass for those that don't come with genbench, with random numbers in them."""

import hashlib
import warnings
from dataclasses import replace

import pytest
import torch

from genbench.features import dinov2, inception

WIDTH, DEPTH = 128, 3


def of_inception(folder, monkeypatch):
    """Names a file of random weights to genbench that passes for FID's."""
    from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3

    with torch.random.fork_rng(devices=[]), pytest.MonkeyPatch.context() as patch:
        torch.manual_seed(0)
        patch.setattr(FeatureExtractorInceptionV3, "load_state_dict", lambda self, state: None)
        patch.setattr(torch, "load", lambda *args, **kwargs: {})
        network = FeatureExtractorInceptionV3("random", ["2048"], feature_extractor_weights_path="none")
    path = folder / "random.pth"
    torch.save(network.state_dict(), path)
    monkeypatch.setenv(inception.VARIABLE, str(path))
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    monkeypatch.setattr(inception, "INCEPTION", replace(inception.INCEPTION, sha256=digest))


def dinov2_twin(grid):
    """timm's network of the same kind, for images of `grid` × `grid` patches, with weights that all matter."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from timm.models.vision_transformer import VisionTransformer
    network = VisionTransformer(
        img_size=grid * dinov2.PATCH,
        patch_size=dinov2.PATCH,
        embed_dim=WIDTH,
        depth=DEPTH,
        num_heads=WIDTH // dinov2.HEAD,
        num_classes=0,
        init_values=1.0,
    ).eval()
    rng = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.copy_(0.1 * torch.randn(parameter.shape, generator=rng) + (parameter.dim() == 1))
    return network


def dinov2_published(network):
    """Weights as the published files hold them, with the mask that only training needs."""
    return {**network.state_dict(), "mask_token": torch.zeros(1, WIDTH)}
