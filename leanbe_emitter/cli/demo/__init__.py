"""The work of the command ``demo``: ``run`` sends the events, ``report`` says how they went."""
