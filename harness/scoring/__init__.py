"""Measures and cost of rankings."""
