"""Section *Control*: faults, the clock and reset."""
