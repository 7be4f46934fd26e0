"""Commands of the section *Shell*: completion."""
