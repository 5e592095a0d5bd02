"""`genbench run --shard`: what machines that can't see each other have run is one suite."""

import shutil

from genbench.records.store import Store


def test_parts_that_were_run_apart_are_one_suite_when_their_folders_are_put_together(genbench, once, tmp_path):
    controls = "toy2d-smoke/ring8/controls.json"
    options = ["--suite", "toy2d-smoke", "--dataset", "ring8", "--device", "cpu", "--jobs", "1"]
    options += ["--trainer", "gan,wgan", "--seeds", "0-2"]
    for out, shard in (("whole", []), ("one", ["--shard", "1/2"]), ("two", ["--shard", "2/2"])):
        (tmp_path / out / controls).parent.mkdir(parents=True)
        shutil.copy(once[0] / controls, tmp_path / out / controls)
        assert genbench("run", *options, "--out", tmp_path / out, *shard).code == 0
    bits = {
        out: {found.record.id: found.record.weights_sha256 for found in Store(tmp_path / out).trials("toy2d-smoke")}
        for out in ("whole", "one", "two")
    }
    assert not bits["one"].keys() & bits["two"].keys()
    assert bits["one"] | bits["two"] == bits["whole"]
    shutil.copytree(tmp_path / "two", tmp_path / "one", dirs_exist_ok=True)
    shown = [genbench("report", tmp_path / out, "--no-figures", "--format", "csv").out for out in ("one", "whole")]
    assert len(shown[0].splitlines()) == len(shown[1].splitlines()) > 1
    assert genbench("run", *options, "--out", tmp_path / "one").out.count("0 trials to run") == 1
