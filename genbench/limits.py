"""How much may be asked for: apart, since commands say so in their help, before they import what makes plans."""

MOST_CHECKPOINTS = 10_000
"""Each is measured and kept, so that more would take all of the time and of the memory."""
