"""Oracles and builders that several tests use."""
