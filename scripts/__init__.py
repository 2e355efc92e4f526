"""What the Makefile, tox and CI call. Nothing here is shipped."""
