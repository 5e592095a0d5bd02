"""The guide's plugins of one's own run as they stand."""

import re
from pathlib import Path

import pytest
import torch
from made_up import forgetful_registries

GUIDE = (Path(__file__).parent.parent / "docs" / "guide.md").read_text(encoding="utf-8")
FILES = dict(re.findall(r"```python\n# (\w+\.py)\n(.*?)```", GUIDE, re.DOTALL))


@pytest.fixture
def genbench(tmp_path, monkeypatch, capsys):
    """`genbench("report --out page")`, in a folder that holds the guide's files, is what the command printed."""
    import sys

    from genbench.cli.main import main

    for name, code in FILES.items():
        (tmp_path / name).write_text(code, encoding="utf-8")
    monkeypatch.chdir(tmp_path)

    def command(line):
        monkeypatch.setattr(sys, "argv", ["genbench", *line.split()])
        with pytest.raises(SystemExit) as ended:
            main()
        said = capsys.readouterr()
        assert not ended.value.code, said.err
        return said.out

    with forgetful_registries():
        yield command


def test_metric_protocol_suite_networks_and_panel_of_the_guide_run(genbench, tmp_path):
    plugins = "--plugin my_scores.py --plugin my_parts.py"
    ran = genbench(
        "run --suite my-suite --trainer gan[networks=narrow] --seeds 0 --budget steps=6 --checkpoints 1 --jobs 1 "
        f"--metric far --metric hq {plugins}"
    )
    assert "1 done" in ran
    table = genbench(f"report results --format md --no-figures {plugins}")
    assert "protocol mine2026" in table
    assert "| modes↑ | far↓ | reverse_kl↓ | far[radius=2]↓ | hq↑ |" in " ".join(table.split())
    genbench(f"report results --out page --no-figures {plugins}")
    assert "<p>1 trials of my-suite.</p>" in (tmp_path / "page" / "index.html").read_text()
    assert "far, a metric" in genbench(f"show far[radius=1.5] {plugins}")


def test_extractor_of_the_guide_sees(genbench):
    from genbench.features import extractor

    genbench("list extractors --plugin my_parts.py")
    images = torch.zeros(3, 1, 4, 5)
    found = extractor("edges")(images)
    assert found.features.shape == (3, 9)
