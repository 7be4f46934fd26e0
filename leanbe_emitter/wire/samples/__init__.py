"""Sample payloads of the 22 events, taken from one story."""
