"""Each role has a stream of its own, the same everywhere and for ever."""

import hashlib
import os
import subprocess
import sys
from itertools import combinations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from genbench import seeding
from genbench.seeding import derive, stream

ROLES = [value for name, value in vars(seeding).items() if name.isupper() and isinstance(value, str)]
GOLDEN = {
    (0, "training data"): 118415194590590443,
    (0, "training noise"): 6295274744514938278,
    (0, "weights/generator"): 2131432732401471299,
    (1, "weights/critic"): 7444493425599020163,
    (4, "evaluation noise"): 3569849466874508218,
    (0, "reference data/10000"): 6698968535399330987,
}
DRAWS = [698, 981, 970, 204, 101]


@pytest.mark.parametrize(("seed", "role"), GOLDEN)
def test_seeds_never_change(seed, role):
    assert derive(seed, role) == GOLDEN[seed, role]


def test_draws_never_change():
    assert torch.randint(1000, (5,), generator=stream(0, seeding.TRAINING_DATA)).tolist() == DRAWS


@given(st.integers(0, 2**40), st.text(max_size=30))
def test_seed_is_the_head_of_a_hash(seed, role):
    text = f"genbench/{seed}/{role}".encode()
    assert derive(seed, role) == int(hashlib.sha256(text).hexdigest()[:16], 16) // 2
    assert 0 <= derive(seed, role) < 2**63


def test_roles_are_all_different():
    assert len(ROLES) >= 7
    assert len(set(ROLES)) == len(ROLES)


def test_no_two_streams_share_a_seed():
    seeds = [derive(seed, role) for seed in range(1000) for role in ROLES]
    assert len(set(seeds)) == len(seeds)


def test_streams_do_not_correlate():
    draws = [torch.randn(4_000, generator=stream(seed, role)) for seed in (0, 1) for role in ROLES]
    correlations = torch.stack(draws).corrcoef()
    assert max(abs(correlations[i, j]) for i, j in combinations(range(len(draws)), 2)) < 0.08


def test_streams_are_fresh_each_time_and_leave_each_other_alone():
    one, other = stream(0, "a"), stream(0, "a")
    first = torch.rand(3, generator=one)
    stream(0, "b")
    assert torch.equal(torch.rand(3, generator=other), first)
    assert not torch.equal(torch.rand(3, generator=one), first)


def test_global_stream_is_left_alone():
    before = torch.random.get_rng_state()
    torch.rand(3, generator=stream(0, "a"))
    assert torch.equal(torch.random.get_rng_state(), before)


@pytest.mark.parametrize("hash_seed", ["0", "12345"])
def test_other_processes_derive_the_same(hash_seed):
    code = "from genbench.seeding import derive; print(derive(3, 'training data'))"
    found = subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | {"PYTHONHASHSEED": hash_seed},
        capture_output=True,
        text=True,
        check=True,
    )
    assert int(found.stdout) == derive(3, "training data")


def test_deriving_needs_no_torch():
    code = "import sys; from genbench.seeding import derive; derive(0, 'a'); sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
