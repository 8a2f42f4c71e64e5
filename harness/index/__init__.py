"""Exact search: dense vectors, inverted lists, multi-vector late interaction."""
