"""Measures: a file each, run by `./run bench NAME`.

Each prints a table and, as its last line, one JSON object with every figure, its bar and whether it is met; it exits
with 1 when one is not.  It starts what it needs and leaves nothing behind.
"""
