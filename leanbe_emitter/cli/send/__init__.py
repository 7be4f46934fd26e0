"""Commands of the section *Send*: events and their deliveries."""
