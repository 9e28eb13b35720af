"""The decisions of isolation, pure: facts in, what should stand out.

`facts` hold what other services told (each newest by revision, ends kept as tombstones). `scope`,
`roll` and `standing` compute from facts what should be. `seals`, `orders` and `foci` are our own
aggregates. `reconcile` compares what should be with what is.
"""
