"""Graphs: who is whose friend, from words, files and other libraries; and who of them are spies."""
