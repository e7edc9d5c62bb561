"""Simulated networks that run the same gossip core as the node does."""
