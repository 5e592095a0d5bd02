"""Which device a command computes on, and what is said of one that there is not."""

import json
from types import SimpleNamespace

import pandas as pd
import pytest
import torch
from safetensors.torch import save_file
from typer.testing import CliRunner

from genbench import devices
from genbench.cli.execution import jobs_for
from genbench.cli.main import app
from genbench.errors import GenbenchError
from genbench.trials import bench
from genbench.trials.bench import Measured

runner = CliRunner()


@pytest.fixture
def nowhere(monkeypatch):
    """A machine without a CUDA device."""
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 0)


@pytest.mark.usefixtures("nowhere")
@pytest.mark.parametrize("device", ["cuda", "cuda:1"])
@pytest.mark.parametrize(
    "command",
    [
        ["run", "--suite", "toy2d-smoke"],
        ["score", "SAMPLES", "--dataset", "ring8"],
        ["time", "gan"],
        ["bench"],
    ],
    ids=lambda command: command[0],
)
def test_a_device_that_is_not_there_is_refused_before_anything(command, device, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    save_file({"samples": torch.zeros(10, 2)}, tmp_path / "samples.safetensors")
    command = [part.replace("SAMPLES", "samples.safetensors") for part in command]
    outcome = runner.invoke(app, [*command, "--device", device])
    assert isinstance(outcome.exception, GenbenchError)
    assert str(outcome.exception) == f"torch finds 0 CUDA devices here, so {device} can't be used. Give --device cpu."


@pytest.mark.parametrize("name", ["tpu", "cuda:x", "cuda:", "", "CUDA"])
def test_what_is_no_device_is_told_the_names(name):
    with pytest.raises(GenbenchError, match="Give --device auto, cpu, cuda or cuda:N"):
        devices.check(name)


@pytest.mark.usefixtures("nowhere")
def test_auto_is_the_processor_where_there_is_no_other():
    assert devices.resolve("auto") == "cpu"
    devices.check("auto")


def test_auto_is_the_accelerator_where_there_is_one(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert devices.resolve("auto") == "cuda"
    assert devices.resolve("cpu") == "cpu"


@pytest.mark.parametrize(
    ("device", "asked", "jobs"), [("cpu", None, 6), ("cuda", None, 1), ("cuda", 3, 3), ("cpu", 2, 2)]
)
def test_one_process_a_device_and_one_a_core(device, asked, jobs, monkeypatch):
    monkeypatch.setattr("genbench.cores.available", lambda: 6)
    plan = SimpleNamespace(run=[None] * 9, controls=[])
    assert jobs_for(asked, device, plan) == jobs


@pytest.mark.usefixtures("nowhere")
def test_doctor_tries_the_device():
    healthy = runner.invoke(app, ["doctor", "--device", "cpu", "--json"])
    assert (healthy.exit_code, json.loads(healthy.output)["tried"]) == (0, "cpu computes")
    ill = runner.invoke(app, ["doctor", "--device", "cuda", "--json"])
    assert ill.exit_code == 1
    (problem,) = json.loads(ill.output)["problems"]
    assert problem.startswith("cuda can't be used: GenbenchError: torch finds 0 CUDA devices here")


def test_bench_measures_writes_and_tells_what_is_missed(tmp_path, monkeypatch):
    found = [
        Measured("agreement", "modes", 0.0, "share", 1e-6),
        Measured("updates", "captured", 1.2, "times as fast as eager", 1.5, at_least=True),
        Measured("scoring", "grid25 on cpu", 0.5, "seconds"),
    ]
    monkeypatch.setattr(bench, "bench", lambda device, seeds, steps: iter(found))
    outcome = runner.invoke(app, ["bench", "--device", "cpu", "--out", str(tmp_path / "bench.csv")])
    assert outcome.exit_code == 1
    assert "captured: 1.2 times as fast as eager (at least 1.5)" in " ".join(outcome.output.split())
    assert "Missed: updates of captured" in outcome.output
    table = pd.read_csv(tmp_path / "bench.csv")
    assert table["name"].tolist() == ["modes", "captured", "grid25 on cpu"]
    assert table["met"].tolist()[:2] == [True, False]
    assert table["device"].nunique() == 1
    found.pop(1)
    assert runner.invoke(app, ["bench", "--device", "cpu", "--out", str(tmp_path / "bench.csv")]).exit_code == 0
    assert runner.invoke(app, ["bench", "--out", str(tmp_path / "no" / "bench.csv")]).exception


def test_bench_agrees_with_itself_on_the_processor():
    measured = list(bench.agreement("cpu"))
    assert {each.value for each in measured} == {0.0}
    assert all(each.met for each in measured)
    assert {"w2", "fd", "modes", "mnist-cnn"} <= {each.name for each in measured}


def test_bench_trains_and_scores_many_seeds():
    measured = {each.name: each for each in bench.many_seeds("cpu", seeds=2, steps=20)}
    assert measured["gan, 2 beside 1"].value > 0
    assert measured["wgan-gp, 2: beside training"].bar == bench.SCORING_TAKES
