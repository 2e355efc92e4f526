"""One module per row; each has a `ROW`."""
