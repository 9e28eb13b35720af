"""Marshmallow schemas: the fields RPC documents are made of, the envelope, and every event."""
