"""What `genbench new` writes keeps to the contract as it is, and nothing is overwritten."""

import re

import made_up
import pytest

from genbench.contract.new import write
from genbench.errors import GenbenchError

pytest_plugins = ["pytester"]

KINDS = {
    "trainer": "my-gan",
    "dataset": "my-line",
    "metric": "my-gap",
    "suite": "my-suite",
    "protocol": "my-way",
}


@pytest.mark.parametrize("kind", KINDS)
def test_writes_a_file_and_its_test_that_name_each_other(kind, tmp_path):
    written = write(kind, KINDS[kind], tmp_path / "mine")
    assert {path.name for path in (tmp_path / "mine").iterdir()} == {written.file.name, written.test.name}
    assert f'@api.{kind}("{KINDS[kind]}"' in written.file.read_text()
    assert written.file.name in written.test.read_text()
    compile(written.file.read_text(), written.file, "exec")
    for line in (*written.file.read_text().splitlines(), *written.test.read_text().splitlines()):
        assert len(line) <= 120
        assert "$" not in line


def test_says_the_lines_of_the_entry_point(tmp_path):
    text = "\n".join(write("trainer", "my.gan-2", tmp_path).next_steps)
    assert '[project.entry-points."genbench.plugins"]\n  my_gan_2 = "my_gan_2"' in text


@pytest.mark.parametrize("there", ["my_gan.py", "test_my_gan.py"])
def test_overwrites_nothing(there, tmp_path):
    (tmp_path / there).write_text("mine")
    with pytest.raises(GenbenchError, match=rf"{there} is there already\. Give another name"):
        write("trainer", "my-gan", tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [there]
    assert (tmp_path / there).read_text() == "mine"


@pytest.mark.parametrize("name", ["My-gan", "my gan", "../my-gan", "2gan", "", "class", "-gan"])
def test_name_that_cannot_be_one_is_refused(name, tmp_path):
    with pytest.raises(GenbenchError, match=r"can't name a trainer: use a-z"):
        write("trainer", name, tmp_path)
    assert not list(tmp_path.iterdir())


def test_tests_that_it_writes_pass(pytester):
    """Each runs all checks of its kind."""
    for kind, name in KINDS.items():
        write(kind, name, pytester.path)
    pytester.runpytest_subprocess("-q").assert_outcomes(passed=len(KINDS))


def test_test_of_what_breaks_its_promises_says_which(pytester):
    written = write("suite", "my-suite", pytester.path)
    written.file.write_text(re.sub(r"seeds=\(.*\)", "seeds=(0,)", written.file.read_text()))
    with made_up.forgetful_registries():
        ran = pytester.runpytest_inprocess("-q")
    ran.assert_outcomes(failed=1)
    ran.stdout.fnmatch_lines(
        ["*my-suite breaks genbench's contract.", "*seeds are enough: With 1 seeds no table can tell*"]
    )
