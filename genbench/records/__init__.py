"""What a trial leaves behind, where it lies, and where it came from."""
