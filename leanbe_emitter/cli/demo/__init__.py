"""The steps of the command ``demo``, and its report."""
