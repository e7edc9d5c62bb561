"""Spreading in compiled code: very many rumors on graphs of up to a million nodes."""
