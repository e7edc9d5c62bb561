"""Spreading strategies: pure decisions on when an item goes to which friend."""
