"""Measures, significance and cost of rankings."""
