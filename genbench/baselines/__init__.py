"""genbench's own methods, one a file. They enter through the same door as anyone's plugin."""

from . import gan, wgan, wgan_gp

__all__ = ["gan", "wgan", "wgan_gp"]
