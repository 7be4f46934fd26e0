"""How groups of checks are performed: their requests are sent, and each check is judged."""
