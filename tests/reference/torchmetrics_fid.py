"""torchmetrics' own Fréchet distance, of features as they are."""

import torch
from torch import nn
from torchmetrics.image.fid import FrechetInceptionDistance


class Identity(nn.Module):
    """What torchmetrics takes for a feature extractor, and isn't one."""

    num_features: int

    def __init__(self, d):
        super().__init__()
        self.num_features = d

    def forward(self, x):
        return x


def fid(x, y):
    """The metric, updated in double precision with fake features `x` and real ones `y`, ready to compute."""
    metric = FrechetInceptionDistance(feature=Identity(x.shape[1]), normalize=True, input_img_size=(3, 4, 4))
    metric.set_dtype(torch.float64)
    metric.update(y, real=True)
    metric.update(x, real=False)
    return metric
