"""Validation: what is known from elsewhere, and whether the simulator finds it."""
