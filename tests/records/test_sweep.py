"""What killed processes left is taken away, and nothing that lies elsewhere."""

import subprocess
import sys
from pathlib import Path

import made_up
from planned import trial_tasks
from tasks import ignore, never

from genbench.records import layout, process
from genbench.records.claims import Claims
from genbench.records.sweep import sweep


def test_nothing_is_swept_through_a_link(tmp_path):
    (task,) = trial_tasks("gan[batch=8,width=4]", root=tmp_path / "elsewhere")
    task.run(ignore, never)
    left = made_up.place(task) / layout.CHECKPOINT
    left.write_bytes(b"left")
    cell = tmp_path / "results" / "suite" / "ring8"
    cell.mkdir(parents=True)
    (cell / "linked").symlink_to(left.parents[1])
    assert sweep(tmp_path / "results") == []
    assert left.exists()
    assert sweep(tmp_path / "elsewhere") == [left]


def test_a_process_that_has_ended_and_that_nobody_has_asked_for_is_gone():
    code = "from genbench.records import process; print(process.here(), flush=True)"
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as child:
        name = child.stdout.readline().strip()
        child.stdout.read()  # to its end
        stat = Path(f"/proc/{child.pid}/stat")
        while stat.read_text().rpartition(")")[2].split()[0] != "Z":
            pass
        assert process.is_gone(name)


def test_a_file_where_a_folder_is_to_be_is_said(tmp_path):
    (tmp_path / "place").write_text("here")
    claims = Claims()
    try:
        claims.take(tmp_path / "place")
    except OSError as error:
        assert "Not a directory" in str(error)
    else:
        raise AssertionError("it was claimed")
    finally:
        claims.close()
