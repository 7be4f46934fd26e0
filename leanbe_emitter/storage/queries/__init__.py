"""Statements on the tables, one file a subject."""
