"""Connections: engines, sessions, transactions, drivers and their errors, and notifications."""
