"""Connections: engine, transactions, driver errors and notifications."""
