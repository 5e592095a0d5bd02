"""What a docstring has to say, and what is told of one that doesn't."""

import made_up
import pytest

from genbench.contract.entries import documents_itself
from genbench.contract.findings import Broken
from genbench.registry import controls


@pytest.mark.parametrize(
    ("doc", "told"),
    [
        ("Noise.", "must say what it is in more than 20 letters, not just 'Noise.'"),
        ("Draws of nothing in particular", "ends with a full stop, not 'Draws of nothing in particular'"),
        ("", "has no docstring"),
    ],
)
def test_docstring_that_says_too_little_is_told_what_it_lacks(doc, told):
    def mine(dataset, n, rng):
        return dataset.sample(n, rng)

    mine.__doc__ = doc
    with made_up.forgetful_registries(), pytest.raises(Broken, match=told):
        controls.register("mine")(mine)
        documents_itself(controls["mine"])
