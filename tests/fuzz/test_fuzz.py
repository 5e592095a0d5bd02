"""A short run of the fuzzer: whatever is wrong with a file, whoever reads it says so or reads it."""

import importlib.util
import sys
from pathlib import Path

import pytest

spec = importlib.util.spec_from_file_location("fuzz", Path(__file__).with_name("fuzz.py"))
fuzz = importlib.util.module_from_spec(spec)
sys.modules["fuzz"] = fuzz
spec.loader.exec_module(fuzz)

READERS = (
    "records", "scores", "controls", "externals", "plans", "curves", "samples", "archives", "npy", "npz", "csv",
    "parquet", "safetensors", "images", "idx", "beats",
)  # fmt: skip


@pytest.fixture(scope="module")
def targets(tmp_path_factory):
    return fuzz.targets(tmp_path_factory.mktemp("fuzz"))


def test_every_reader_is_fed(targets):
    assert tuple(targets) == READERS


@pytest.mark.parametrize("name", READERS)
def test_sound_files_are_read(name, targets):
    for content in targets[name].seeds:
        targets[name].read(content)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", READERS)
def test_damaged_files_are_read_or_refused(name, targets, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    counted = fuzz.fuzz(name, targets[name], inputs=200)
    assert counted.total() == 200
