"""A receiver to check, right or with one flaw: the checks are tested on it, and users can look."""
