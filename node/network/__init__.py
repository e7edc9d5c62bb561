"""The network: authenticated connections between friends, and one kept alive for each."""
