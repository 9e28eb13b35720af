"""RPC documents of the dispatch service."""
