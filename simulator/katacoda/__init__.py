"""Scenarios in the format of Killercoda and Katacoda: read, put on one of our worlds, played; pure Python on top of the core."""
