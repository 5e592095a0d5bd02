"""What each format looks like, stored as text: a change of any is seen in review.

Where a change is meant, `SNAPSHOTS=write pytest tests/report/formats/test_snapshots.py` stores the new looks.
"""

import io
import json
import os
from pathlib import Path

import pyarrow.parquet
import pytest
from made_up_tables import EVERYTHING

from genbench.report import formats

SNAPSHOTS = Path(__file__).parent.parent / "snapshots"


def parquet_as_text(content):
    table = pyarrow.parquet.read_table(io.BytesIO(content))
    types = [f"{field.name}: {field.type}" for field in table.schema]
    return "\n".join([*types, "", *(json.dumps(line, ensure_ascii=False) for line in table.to_pylist())]) + "\n"


@pytest.fixture
def rendered(capsys, monkeypatch):
    """The same table in the format that a test is about, as text."""

    def as_text(name):
        if name == "terminal":
            monkeypatch.setenv("COLUMNS", "80")
            monkeypatch.delenv("FORCE_COLOR", raising=False)
            formats.terminal([EVERYTHING])
            return "\n".join(line.rstrip() for line in capsys.readouterr().out.splitlines()) + "\n"
        content = formats.WRITTEN[name]([EVERYTHING])
        return parquet_as_text(content) if isinstance(content, bytes) else content

    return as_text


@pytest.mark.parametrize("name", ["terminal", *formats.WRITTEN])
def test_looks_as_it_did(name, rendered):
    path = SNAPSHOTS / f"{name}.txt"
    text = rendered(name)
    if os.environ.get("SNAPSHOTS") == "write":
        path.write_text(text, encoding="utf-8")
    assert text == path.read_text(encoding="utf-8")


def test_every_snapshot_is_of_a_format():
    assert {path.stem for path in SNAPSHOTS.iterdir()} == {"terminal", *formats.WRITTEN}
