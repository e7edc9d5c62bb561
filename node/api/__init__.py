"""The loopback interface: its routes, who may use them, and the shapes of its answers."""
