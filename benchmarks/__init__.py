"""The bars of the design, measured on this machine as ratios: `python -m benchmarks`.

Every contender works on the real broker and database, in virtual hosts and databases of the
benchmark's own, which are removed again. `make bench` runs it between the start and the stop of the
stack.
"""
