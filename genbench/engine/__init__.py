"""The engine: it owns the loop, the data, the clock and the random streams."""
