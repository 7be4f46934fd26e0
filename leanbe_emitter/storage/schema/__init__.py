"""Tables, states and migrations."""
