"""Tables, the words that their rows hold, and migrations."""
