"""Products and what is set for them: webhooks, users, assumptions, faults, seed files."""
