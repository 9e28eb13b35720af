"""Writes `docs/reference/`: every page is read from the code, so none can say what is not so.

`make docs` writes the pages; a test fails while one of them differs from what the code says.
"""
