"""Metrics of classes, one sample and one head at a time. `samples` are lists of heads, each a list of logits."""

import math
from collections import Counter
from fractions import Fraction


def probabilities(logits):
    highest = max(logits)
    weights = [math.exp(logit - highest) for logit in logits]
    return [weight / sum(weights) for weight in weights]


def class_of(sample):
    """The most probable class of each head, as one tuple."""
    return tuple(head.index(max(head)) for head in sample)


def is_sure(sample, sure):
    return all(max(probabilities(head)) >= sure for head in sample)


def number_of_classes(samples):
    return math.prod(len(head) for head in samples[0])


def modes_any(samples):
    return len({class_of(sample) for sample in samples})


def modes_fair(samples, share, sure):
    counts = Counter(class_of(sample) for sample in samples if is_sure(sample, sure))
    least = Fraction(str(share)) * len(samples) / number_of_classes(samples)
    return sum(count >= least for count in counts.values())


def reverse_kl(samples):
    counts = Counter(map(class_of, samples))
    shares = [count / len(samples) for count in counts.values()]
    return sum(share * math.log(share * number_of_classes(samples)) for share in shares)


def confident(samples, sure):
    return sum(is_sure(sample, sure) for sample in samples) / len(samples)


def confidence(samples):
    return sum(math.prod(max(probabilities(head)) for head in sample) for sample in samples) / len(samples)
