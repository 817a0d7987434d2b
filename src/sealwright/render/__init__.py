"""Verdicts as text and as data. Pure: no terminal, no clock; colours are asked for by the caller."""
