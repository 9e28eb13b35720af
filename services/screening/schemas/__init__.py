"""RPC documents of screening: cases, samples, verdicts."""
