"""Ratios beside the peers, measured in one run: `make bench`.

Layout: `rows/` has one module per row; a new row is a module there with a `ROW`. `measure.py` runs
contestants in turns and takes medians, `targets.py` compares them with what we want, `report.py` prints and
keeps rows, `machine.py` says where and with which versions. `players/` are the programs that rows run as
processes of their own, `processes.py` runs them, `peers.py` and `bridges.py` find what they need. `work.py`
is the work that is the same for all.
"""
