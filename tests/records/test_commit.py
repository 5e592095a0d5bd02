"""What a trial leaves: its record last, its checkpoint whole or none."""

import hashlib
import json

import made_up
import pandas as pd
import pytest
import torch

from genbench.records import atomic
from genbench.records.commit import load_checkpoint, save_checkpoint
from genbench.records.layout import CHECKPOINT, CURVE
from genbench.records.record import Record
from genbench.records.store import Store


def test_record_names_the_hash_of_every_file_that_cannot_be_made_again(results):
    curve = pd.DataFrame({"steps": [1, 40], "hq": [0.5, 0.75]})
    tensors = {"final": torch.arange(6.0).reshape(3, 2)}
    folder = made_up.put(
        results, made_up.trial(), made_up.scores({"hq": 0.75}), curve=curve, samples=tensors, weights=tensors
    )
    (found,) = Store(results).trials("made-up")
    assert made_up.files_in(folder) == sorted([*found.record.files, "record.json", "scores.json"])
    for name, expected in found.record.files.items():
        assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == expected
    pd.testing.assert_frame_equal(pd.read_parquet(folder / CURVE), curve)


def test_record_is_written_last(results, monkeypatch):
    written = []
    write = atomic.write_atomically

    def noted(path, content):
        written.append(path.name)
        write(path, content)

    monkeypatch.setattr(atomic, "write_atomically", noted)
    made_up.put(results, made_up.trial(), made_up.scores({"hq": 1.0}), samples={"final": torch.zeros(1, 2)})
    assert written == ["scores.json", "samples.safetensors", "record.json"]


@pytest.mark.usefixtures("full_disk")
def test_failed_commit_leaves_no_record(results):
    with pytest.raises(OSError, match="No space left"):
        made_up.put(results, made_up.trial(), made_up.scores({"hq": 1.0}))
    assert list(Store(results).trials("made-up")) == []


def test_commit_takes_the_checkpoint_away(results):
    folder = Store(results).folder("made-up", made_up.trial())
    save_checkpoint(folder, {"weights": torch.zeros(2)}, {})
    made_up.put(results, made_up.trial())
    assert made_up.files_in(folder) == ["record.json"]


def test_written_json_is_for_people_too(results):
    folder = made_up.put(results, made_up.trial(), status="crashed", reason="Größe")
    text = (folder / "record.json").read_text(encoding="utf-8")
    assert "Größe" in text
    assert text.endswith("}\n")
    assert len(text.splitlines()) > 10
    assert Record.model_validate(json.loads(text)).reason == "Größe"


def test_checkpoint_round_trip(tmp_path):
    tensors = {
        "weights": torch.randn(3, 2, generator=torch.Generator().manual_seed(0)).T,
        "steps": torch.tensor(7),
        "stream": torch.Generator().get_state(),
        "half": torch.ones(2, dtype=torch.float16),
    }
    facts = {"done": 0.1, "curve": [{"hq": 0.5, "steps": 3}], "third": 1 / 3}
    save_checkpoint(tmp_path, tensors, facts)
    loaded, told = load_checkpoint(tmp_path)
    assert told == facts
    assert loaded.keys() == tensors.keys()
    for key, value in tensors.items():
        assert loaded[key].dtype == value.dtype
        assert torch.equal(loaded[key], value)


def test_tensors_that_share_memory_can_be_kept(tmp_path):
    whole = torch.arange(4.0)
    save_checkpoint(tmp_path, {"whole": whole, "part": whole[:2]}, {})
    loaded, _ = load_checkpoint(tmp_path)
    assert torch.equal(loaded["part"], whole[:2])


@pytest.mark.parametrize("spoil", [lambda c: c[: len(c) // 2], lambda c: b"", lambda c: b"x" * 64, None], ids=range(4))
def test_checkpoint_that_cannot_be_read_is_none(spoil, tmp_path):
    assert load_checkpoint(tmp_path) is None
    save_checkpoint(tmp_path, {"weights": torch.zeros(100)}, {"done": 0.5})
    path = tmp_path / CHECKPOINT
    if spoil is None:
        from safetensors.torch import save_file

        save_file({"weights": torch.zeros(2)}, path)
    else:
        path.write_bytes(spoil(path.read_bytes()))
    assert load_checkpoint(tmp_path) is None
