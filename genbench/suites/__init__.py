"""The suites that come with genbench: each with a preset that tries whether all works, of images with one for GPUs."""

from genbench.suites import images, literature, toys

__all__ = ["images", "literature", "toys"]
