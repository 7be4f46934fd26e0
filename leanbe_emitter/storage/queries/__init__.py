"""Statements on the tables, one file for each subject."""
