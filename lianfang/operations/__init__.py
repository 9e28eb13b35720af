"""Looks at a running district for its operators: what is wrong, where it waits, what led to what.

Everything here only reads, except the replaying and discarding of parked messages, which the
journal decides and records.
"""
