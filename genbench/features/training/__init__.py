"""What trained the extractors that ship with genbench; nothing here is on the way to a score."""
