"""Section *Look*: events, deliveries, attempts and schemas."""
