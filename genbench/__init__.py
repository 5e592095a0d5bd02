"""genbench: which way of training a generator covers the distribution, and which collapses?

Import `genbench.api` to write a method, a dataset, a metric, a control or a suite of your own.
"""

__version__ = "0.1.0"
