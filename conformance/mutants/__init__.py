"""Mutants of the fake bridge: for each clause a small bug, which the clause's own checks must find.

    python -m mutants                     every mutant, and the table
    python -m mutants PUB-1.2             those of a clause, a group or an area, or one by its name

A check that no bug makes fail proves nothing. A mutant is a few characters of the fake's source,
replaced as it is imported in a process of its own (`planted`). It counts as killed when a check of its
own clause fails, for the reason that it names; no other clause's checks are run. The modules beside
these four hold the mutants.

    mutant     what a mutant is, and all of them
    planted    the fake bridge with one of them in it
    trial      one mutant against the checks of its clause
    matrix     what came of all: the table, `matrix.json`, and what is missing
"""
