"""Whether trainings of one method end alike."""


def trained(training, share=1.0):
    """The training, run up to that share of its budget."""
    training.run(share)
    return training


def far_apart(one, other):
    """The largest difference between weights by name, in units of the largest weight of each."""
    assert one.keys() == other.keys()
    return max(float((one[k] - other[k]).abs().max() / other[k].abs().max().clamp(min=1e-12)) for k in one)
