"""Exercises: attempts, checks, hints, solutions."""
