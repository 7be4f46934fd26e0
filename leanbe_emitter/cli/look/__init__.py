"""Commands of the section *Look*: what happened, and what was sent."""
