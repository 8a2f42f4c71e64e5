"""Exact search: dense vectors, weighted terms, multi-vector late interaction. Indexes are files, read by memory map."""
