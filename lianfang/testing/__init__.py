"""Stages for tests, ours and integrators': real broker, real database, no mocks."""
