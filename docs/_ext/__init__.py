"""What the documentation draws and lists from the code, so that it cannot go stale."""
