"""The README says what is: its example runs, its table is the report's, its links lead somewhere."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from genbench.records.store import Store
from genbench.registry import protocols
from genbench.report.formats import markdown
from genbench.report.frame import frame
from genbench.report.table import tables
from genbench.scoring.protocols import protocol

ROOT = Path(__file__).parent.parent
REFERENCE = Store(ROOT / "results" / "reference")
README = (ROOT / "README.md").read_text(encoding="utf-8")
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")), ROOT / "CONTRIBUTING.md"]


def test_its_example_runs_in_the_suite_as_it_stands(tmp_path):
    code, command = re.search(
        r"```python\n(.*?)```.*?\n    genbench (run [^\n]*--plugin [^\n]*)\n", README, re.DOTALL
    ).groups()
    (tmp_path / "my_gan.py").write_text(code, encoding="utf-8")
    smoke = command.replace("--suite toy2d", "--suite toy2d-smoke --seeds 0 --dataset ring8 --jobs 1").split()
    program = [sys.executable, "-c", "from genbench.cli.main import main; main()"]
    result = subprocess.run([*program, *smoke], cwd=tmp_path, capture_output=True, text=True, timeout=240)
    assert result.returncode == 0, result.stdout + result.stderr
    (found,) = Store(tmp_path / "results").trials("toy2d-smoke")
    assert found.record.trial.trainer.name == "my-gan"
    assert found.record.status == "done"


def test_its_example_is_a_file_of_about_forty_lines():
    code = re.search(r"```python\n(.*?)```", README, re.DOTALL)[1]
    assert len(code.splitlines()) <= 42


@pytest.mark.parametrize("suite", REFERENCE.suites())
def test_tables_are_what_report_prints_of_the_reference(suite):
    whole = "\n".join(page.read_text(encoding="utf-8") for page in PAGES)
    shown = re.search(rf"<!-- table {suite} -->\n(.*?)<!-- /table -->", whole, re.DOTALL)[1]
    protocol_name = REFERENCE.plan(suite).protocols[0]
    found = [table.headline() for table in tables(frame(REFERENCE, suite), protocol(protocol_name))]
    assert shown.strip() == markdown(found).strip()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_to_files_that_exist(page):
    links = re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8"))
    assert [link for link in links if not (page.parent / link).exists()] == []


def test_sections_named_in_the_guide_exist():
    guide = (ROOT / "docs" / "guide.md").read_text(encoding="utf-8")
    headings = {line.lstrip("# ").lower().replace(" ", "-") for line in guide.splitlines() if line.startswith("#")}
    assert set(re.findall(r"\]\(#([^)]+)\)", guide)) <= headings


def test_metric_names_in_the_guide_are_those_of_the_protocols():
    guide = (ROOT / "docs" / "guide.md").read_text(encoding="utf-8")
    table = guide.partition("| protocol | names |\n|---|---|\n")[2].partition("\n\n")[0]
    listed, names = set(), {entry.name for entry in protocols}
    for line in table.splitlines():
        first, second = (set(re.findall(r"`([^`]+)`", cell)) for cell in line.strip("|").split("|"))
        columns = [set(protocol(name).columns) for name in first]
        assert second - names == set.union(*columns)
        listed |= first
    assert listed == {name for name in names if "smoke" not in name}
