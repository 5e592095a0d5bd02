"""`genbench run --portable`: the same bits alone, in a pool, in a stack, trained again, and on other processors."""

import os
import shutil
import subprocess
import sys

import pytest

from genbench import devices, portable
from genbench.records.store import Store
from genbench.trials.retraining import _alike

pytestmark = pytest.mark.skipif(portable.lacks() is not None, reason=str(portable.lacks()))

RUN = "import sys; from genbench.cli.main import main; sys.argv = ['genbench', *sys.argv[1:]]; main()"
SMALL = ("--suite", "toy2d-smoke", "--dataset", "ring8", "--budget", "steps=20", "--checkpoints", "1")
GAN = ("--trainer", "gan[width=16,batch=32]", "--seeds", "0-1", "--device", "cpu")
PROCESSORS = ("Haswell", "EPYC")
"""An Intel and an AMD, as QEMU calls them."""


def command(*arguments, before=(), **environment):
    """The command in a process of its own, which has loaded nothing yet: what it printed."""
    line = [*before, sys.executable, "-c", RUN, *map(str, arguments)]
    ran = subprocess.run(line, env={**os.environ, **environment}, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


def records(root):
    return {record.trial.id: record for record in (found.record for found in Store(root).trials("toy2d-smoke"))}


def weights(root):
    return {trial: record.weights_sha256 for trial, record in records(root).items()}


@pytest.fixture(scope="module")
def here(tmp_path_factory):
    """Results that one process trained, two seeds as one stack; not to be changed."""
    root = tmp_path_factory.mktemp("portable") / "here"
    command("run", *SMALL, *GAN, "--portable", "--jobs", "1", "--stack", "2", "--out", root)
    return root


def test_records_say_so(here):
    flags = [record.provenance["flags"]["portable"] for record in records(here).values()]
    assert [each["instructions"] for each in flags] == ["avx2", "avx2"]


def test_in_a_pool_one_by_one_it_has_the_same_bits(here, tmp_path):
    command("run", *SMALL, *GAN, "--portable", "--jobs", "2", "--stack", "1", "--out", tmp_path)
    assert weights(tmp_path) == weights(here)


def test_trained_again_it_has_the_same_bits(here):
    assert "the same bits\n" in command("verify", here, "--no-scores", "--retrain", "1")


def test_a_run_without_says_that_those_done_are_portable(here, genbench, tmp_path):
    shutil.copytree(here, tmp_path / "copy")
    said = "2 of those done were computed with portable arithmetic, not the device's arithmetic"
    assert said in genbench("run", *SMALL, *GAN, "--out", tmp_path / "copy").out


def test_other_processors_are_like_hardware_to_it(here):
    (one, _) = (record.provenance for record in records(here).values())
    elsewhere = {**one, "device": "AMD EPYC"}
    assert _alike(one, elsewhere)
    assert not _alike(*({**each, "flags": {**each["flags"], "portable": None}} for each in (one, elsewhere)))
    assert not _alike(one, {**one, "flags": {**one["flags"], "portable": None}})


def test_cuda_is_refused(genbench, monkeypatch):
    for name, value in portable.PINNED.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(devices, "resolve", lambda device: "cuda")
    ran = genbench("run", *SMALL, *GAN, "--device", "auto", "--portable")
    assert ran.code == 2
    assert "Give --device cpu" in ran.err


@pytest.mark.slow
@pytest.mark.parametrize("engine", ["plain", "compiled"])
@pytest.mark.parametrize("trainer", ["gan", "wgan-gp", "realnvp", "vae"])
def test_lone_and_stacked_have_the_same_bits(trainer, engine, tmp_path):
    options = ("--trainer", trainer, "--seeds", "0-2", "--device", "cpu", "--engine", engine, "--portable")
    for stack in (1, 3):
        command("run", *SMALL, *options, "--jobs", "1", "--stack", stack, "--out", tmp_path / str(stack))
    assert weights(tmp_path / "1") == weights(tmp_path / "3")


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("qemu-x86_64") is None, reason="it takes QEMU's qemu-x86_64, Debian's qemu-user")
@pytest.mark.parametrize("processor", PROCESSORS)
def test_on_an_emulated_processor_it_has_the_same_bits(processor, here, tmp_path):
    """In some minutes. Processes that QEMU's would start are not emulated, so all is done in one."""
    emulated = ("qemu-x86_64", "-cpu", processor)
    command("run", *SMALL, *GAN, "--portable", "--jobs", "1", "--stack", "2", "--out", tmp_path, before=emulated)
    assert weights(tmp_path) == weights(here)
