"""Portable arithmetic is what each library is held to as it is loaded, and square roots are as IEEE 754 rounds them."""

import os
import subprocess
import sys

import pytest

from genbench import portable
from genbench.errors import GenbenchError
from genbench.portable import OPPOSED, PINNED

pytestmark = pytest.mark.skipif(portable.lacks() is not None, reason=str(portable.lacks()))

LOADED = """
from genbench import portable
portable.pin()
import numpy as np
import torch
assert torch.backends.cpu.get_cpu_capability() == "AVX2"
import logging
logging.getLogger("torch.utils.cpp_extension").setLevel(logging.ERROR)  # that there is a CUDA toolkit and no device
assert np.show_config(mode="dicts")["SIMD Extensions"]["found"] == ["X86_V3"]
from torch._inductor.cpu_vec_isa import pick_vec_isa
assert str(pick_vec_isa()) == "avx2"
portable.pin()
"""

ROOTS = """
import numpy as np
import torch
from genbench.executors.process import run_conditions
x = torch.from_numpy(np.random.default_rng(0).random(100_000))
roots = {dtype: np.sqrt(x.to(dtype).numpy()) for dtype in (torch.float32, torch.float64)}
with run_conditions():
    for dtype, root in roots.items():
        own = x.to(dtype)
        assert np.array_equal(own.sqrt().numpy(), root)
        assert np.array_equal(own[::3].sqrt().numpy(), root[::3])
        assert np.array_equal(torch.sqrt(own, out=torch.empty(0, dtype=dtype)).numpy(), root)
        assert np.array_equal(own.sqrt_().numpy(), root) and np.array_equal(own.numpy(), root)
    assert torch.tensor([-1.0]).sqrt().isnan() and torch.tensor(4.0).sqrt().shape == ()
    assert torch.tensor([4]).sqrt().dtype == torch.float32 and torch.empty(0, 3).sqrt().shape == (0, 3)
    assert torch.tensor([2.25], dtype=torch.bfloat16).sqrt().equal(torch.tensor([1.5], dtype=torch.bfloat16))
    square = torch.tensor([3 + 4j, 3 - 4j, -4 + 0j])
    assert torch.allclose(square.sqrt(), torch.tensor([2 + 1j, 2 - 1j, 2j]))
    turned = torch.rand(3, 4).t()
    assert turned.sqrt().stride() == turned.stride()
    leaf = torch.tensor([4.0], requires_grad=True)
    assert torch.autograd.grad(leaf.sqrt().sum(), leaf)[0].item() == 0.25
"""


def alone(code, **environment):
    """What a process of its own gives, which has loaded nothing yet."""
    command = [sys.executable, "-W", "error", "-c", code]
    ran = subprocess.run(command, env={**os.environ, **environment}, capture_output=True, text=True, check=False)
    return ran.returncode, ran.stderr


def test_libraries_are_held_to_it_as_they_are_loaded():
    assert alone(LOADED) == (0, "")


def test_roots_are_rounded_as_ieee_754_says():
    assert alone(ROOTS, **PINNED) == (0, "")


def test_cannot_be_had_once_torch_chose_its_code(monkeypatch):
    monkeypatch.delenv("MKL_CBWR", raising=False)
    with pytest.raises(GenbenchError, match="torch and numpy chose code for this processor"):
        portable.pin()
    assert "MKL_CBWR" not in os.environ


@pytest.mark.parametrize(
    ("attribute", "value", "reason"),
    [
        ("platform.machine", lambda: "aarch64", "needs Linux on x86-64"),
        ("_instructions", lambda: {"sse4_2", "f16c", "bmi1", "bmi2"}, "the processor has no avx2, fma"),
        ("version", lambda name: "2.3.5", "needs NumPy 2.4 or later"),
    ],
)
def test_is_refused_where_it_cannot_be_had(attribute, value, reason, monkeypatch):
    monkeypatch.setattr(f"genbench.portable.{attribute}", value)
    with pytest.raises(GenbenchError, match=f"{reason}.*Leave --portable out"):
        portable.pin()


def test_processes_that_are_started_within_have_it_and_afterwards_all_is_as_before(monkeypatch):
    monkeypatch.setenv("MKL_CBWR", "AUTO")
    monkeypatch.setenv(OPPOSED[0], "X86_V4")
    before = dict(os.environ)
    with portable.pinned():
        assert portable.is_pinned()
        assert OPPOSED[0] not in os.environ
    assert dict(os.environ) == before


def test_a_record_says_what_decides_its_bits(monkeypatch):
    assert portable.told("cpu") is None
    for name, value in PINNED.items():
        monkeypatch.setenv(name, value)
    told = portable.told("cpu")
    assert told["instructions"] == "avx2"
    assert told["libc"].startswith("glibc ")
    assert portable.told("cuda") is None
