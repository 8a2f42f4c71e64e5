"""Evaluations, devices and leases in SQL: typed tables, the only database sessions, migrations."""
