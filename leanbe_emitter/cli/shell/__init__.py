"""Section *Shell*: completion."""
