"""Deliveries: claimed, sent over one seam, classified, settled, and due again by the schedule."""
