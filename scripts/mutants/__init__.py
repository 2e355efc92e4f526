"""`make mutants`: changes both engines in small ways, and sees whether their tests notice.

A mutant that no test notices shows a check that is missing, or a line that means nothing. mutmut makes those
of Python, in memory: all mutants are loaded at once and each is tried in a process forked from there.
cargo-mutants makes those of Rust and builds each. Both are tried against the engines' own tests and the kept
traces; no bridge is started.
"""
