"""Builders and suites, for us and for integrators: real broker, real database, no mocks."""
