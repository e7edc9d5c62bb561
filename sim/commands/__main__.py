"""``python -m rumor.sim.commands``: the simulator without the node's own commands."""

from . import main

main()
