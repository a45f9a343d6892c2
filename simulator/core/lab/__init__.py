"""Scenarios, faults, checks and the map's view: what turns a simulated cluster into a lesson."""
