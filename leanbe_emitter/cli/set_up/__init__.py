"""Section *Set up*: products, webhooks, users, assumptions and the database."""
