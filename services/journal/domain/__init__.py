"""What the journal keeps and hides, and how a parked message moves. Pure."""
