"""Ratios beside the peers, measured in one run: `make bench`.

Layout: `measure.py` runs contestants in turns and takes medians, `machine.py` says where, `report.py`
prints and keeps rows, `rows/` has one module per row. A new row is a module there with a `ROW`.
"""
