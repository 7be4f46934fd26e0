"""HTTP: routing, parsing, responses, errors and access."""
