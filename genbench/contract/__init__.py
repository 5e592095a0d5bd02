"""What every registered thing keeps to, as checks that say in plain words what they found.

`genbench.contract.checks.check` runs those of one thing, as `genbench check` does; `genbench.contract.pytest_plugin`
brings them into anyone's tests.
"""

from genbench.contract.findings import Checked

__all__ = ["Checked"]
