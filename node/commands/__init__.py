"""The commands of the program, one module for what belongs together."""
