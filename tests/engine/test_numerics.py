"""Channels last and autocast: the same training within rounding, to the same bits after a pause."""

import pytest
import torch

from genbench.contract.digits import digits
from genbench.engine import Numerics
from genbench.engine.training import Training
from genbench.registry import datasets, trainers
from genbench.spec import Budget, Component, Trial

SMALL = "recipe=small-images,batch=8,width=4"
BOTH = pytest.mark.parametrize("trainer", [f"gan[{SMALL}]", f"wgan-gp[{SMALL}]"])


def ready(trainer, **numerics):
    trial = Trial(
        dataset=Component.resolve(datasets, "ring8"),
        trainer=Component.resolve(trainers, trainer),
        budget=Budget.parse("steps=10"),
        seed=0,
    )
    return Training([trial], digits(), numerics=Numerics(**numerics))


def far_apart(one, other):
    one, other = one.stack.weights(0), other.stack.weights(0)
    return max(float((one[k] - other[k]).abs().max() / other[k].abs().max()) for k in one if "num_batches" not in k)


@BOTH
def test_channels_last_trains_the_same_within_rounding(trainer):
    plain, laid_out = ready(trainer), ready(trainer, channels_last=True)
    plain.run(0.3), laid_out.run(0.3)
    assert any(
        weight.is_contiguous(memory_format=torch.channels_last) and not weight.is_contiguous()
        for weight in laid_out.stack.weights(0).values()
        if weight.dim() == 4
    )
    for name, loss in plain.losses.items():
        assert laid_out.losses[name].item() == pytest.approx(loss.item(), rel=1e-2)


@BOTH
def test_autocast_computes_in_bfloat16_and_keeps_weights_in_float32(trainer):
    plain, cast = ready(trainer), ready(trainer, autocast=True)
    plain.run(0.1), cast.run(0.1)
    assert {weight.dtype for name, weight in cast.stack.weights(0).items() if "num_batches" not in name} == {
        torch.float32
    }
    assert far_apart(cast, plain) > 0
    assert all(torch.isfinite(loss).all() for loss in cast.losses.values())


@BOTH
@pytest.mark.parametrize("numerics", [{"channels_last": True}, {"autocast": True}], ids=str)
def test_goes_on_at_the_same_bits(trainer, numerics):
    whole, first, second = (ready(trainer, **numerics) for _ in range(3))
    whole.run(1.0)
    first.run(0.5)
    second.restore(*first.state())
    second.run(1.0)
    assert second.weights_sha256() == whole.weights_sha256()


def test_is_the_plain_paths_alone():
    training = ready(f"gan[{SMALL},networks=mlp]", channels_last=True)
    assert training.path == ("plain", "only plainly can layers be cast to bfloat16 and channels lie last", False)
