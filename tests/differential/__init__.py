"""The two engines side by side. Needs the Rust engine; `tox -e cargo` builds it."""
