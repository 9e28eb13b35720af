"""The RPC documents of the declaration service."""
