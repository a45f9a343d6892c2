"""The edge in front of a world, and real clients at it."""
