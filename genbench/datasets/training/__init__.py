"""What made the targets that ship as weights; nothing here is on the way to a trial."""
