"""The gossip protocol as a sans-I/O core: bytes, time and randomness in; frames, timers and events out."""
