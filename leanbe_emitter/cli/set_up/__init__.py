"""Commands of the section *Set up*: products, their webhooks, users and the database."""
