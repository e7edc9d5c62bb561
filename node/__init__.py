"""The node a person runs: the gossip core driven by trio and libp2p, with its store, API and command line."""
