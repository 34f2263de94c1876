"""Benchmarks of segkit beside its peers, run by ``python -m benchmarks``."""
