"""Corpora, queries and judgements: read from the field's formats, checked, and kept as memory-mapped Arrow files."""
