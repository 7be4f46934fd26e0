"""Deliveries and events: read, waited for, redelivered, explained."""
