"""Connections: engines, transactions, drivers, their errors, and notifications to workers."""
