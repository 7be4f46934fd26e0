"""Commands of the section *Control*: faults, the clock and reset."""
