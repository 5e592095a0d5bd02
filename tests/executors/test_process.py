"""What a process is set up to while it trains: the flags themselves, for no CUDA device is needed to read them."""

import os
import subprocess
import sys

import pytest
import torch

from genbench.executors.process import Flags, _flags, _set, run_conditions
from genbench.records import provenance

ALLOWED = {"highest": "ieee", "high": "tf32", "medium": "tf32", "bf16": "ieee"}
PRODUCTS = {"highest": "highest", "high": "high", "medium": "medium", "bf16": "highest"}
TORCHS_OWN = Flags(2, "highest", "tf32", "tf32", deterministic=False, benchmark=False)
OTHERS = Flags(3, "medium", "ieee", "ieee", deterministic=False, benchmark=True)
MIXED = Flags(1, "high", "none", "ieee", deterministic=True, benchmark=True)


@pytest.fixture(autouse=True)
def restored():
    before = _flags()
    yield
    _set(before)


@pytest.mark.parametrize("precision", ALLOWED)
def test_convolutions_are_exact_unless_tf32_is_allowed(precision):
    _set(TORCHS_OWN)
    with run_conditions(precision):
        assert torch.backends.cudnn.conv.fp32_precision == ALLOWED[precision]
        assert torch.backends.cudnn.rnn.fp32_precision == ALLOWED[precision]
        assert torch.get_float32_matmul_precision() == PRODUCTS[precision]


@pytest.mark.parametrize("precision", ALLOWED)
def test_older_name_of_the_switch_can_be_read_and_agrees(precision):
    """Inductor reads it where it compiles a convolution."""
    with run_conditions(precision):
        assert torch.backends.cudnn.allow_tf32 == (ALLOWED[precision] == "tf32")


@pytest.mark.parametrize("before", [TORCHS_OWN, OTHERS])
def test_cudnn_gives_the_same_bits_each_time_and_tries_nothing_out(before):
    _set(before)
    with run_conditions():
        assert torch.backends.cudnn.deterministic
        assert not torch.backends.cudnn.benchmark
        assert torch.get_num_threads() == 1


@pytest.mark.parametrize("before", [TORCHS_OWN, OTHERS, MIXED])
@pytest.mark.parametrize("precision", ALLOWED)
def test_settings_are_as_before_afterwards(before, precision):
    _set(before)
    with run_conditions(precision):
        assert _flags() != before
    assert _flags() == before
    with pytest.raises(RuntimeError, match="no such luck"), run_conditions(precision):
        raise RuntimeError("no such luck")
    assert _flags() == before


@pytest.mark.parametrize("precision", ALLOWED)
def test_provenance_says_what_was_set(precision):
    with run_conditions(precision):
        assert provenance.flags() == {
            "dtype": "float32",
            "default_device": "cpu",
            "deterministic": False,
            "matmul_precision": PRODUCTS[precision],
            "cudnn_conv_precision": ALLOWED[precision],
            "cudnn_rnn_precision": ALLOWED[precision],
            "cudnn_deterministic": True,
            "cudnn_benchmark": False,
            "cublas_workspace": os.environ["CUBLAS_WORKSPACE_CONFIG"],
            "portable": None,
        }


def test_workspace_of_cublas_is_fixed_before_cuda_starts(monkeypatch):
    monkeypatch.delenv("CUBLAS_WORKSPACE_CONFIG", raising=False)
    with run_conditions():
        assert provenance.flags()["cublas_workspace"] == ":4096:8"


def test_workspace_that_the_user_chose_stays(monkeypatch):
    monkeypatch.setenv("CUBLAS_WORKSPACE_CONFIG", ":16:8")
    with run_conditions():
        assert provenance.flags()["cublas_workspace"] == ":16:8"


def test_workspace_is_not_said_to_be_fixed_where_cuda_runs_already(monkeypatch):
    monkeypatch.delenv("CUBLAS_WORKSPACE_CONFIG", raising=False)
    monkeypatch.setattr(torch.cuda, "is_initialized", lambda: True)
    with run_conditions():
        assert provenance.flags()["cublas_workspace"] is None


def test_torch_warns_of_nothing():
    """In a process of its own, since torch warns once: what it deprecates it would say here."""
    check = (
        "from genbench.executors.process import run_conditions\n"
        "from genbench.records.provenance import flags\n"
        "for precision in ('highest', 'high', 'medium', 'bf16'):\n"
        "    with run_conditions(precision):\n"
        "        flags()\n"
    )
    ran = subprocess.run([sys.executable, "-W", "error", "-c", check], capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stderr) == (0, "")
