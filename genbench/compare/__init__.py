"""Two sides held against each other, cell by cell: what got worse, and what can't be told. Trains nothing."""
