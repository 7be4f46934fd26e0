"""Section *Act*: one module for each resource; ``resource_commands`` has what they share."""
