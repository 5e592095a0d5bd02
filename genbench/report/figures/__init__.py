"""The pictures of a report, drawn from what is stored alone."""
