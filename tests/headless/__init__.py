"""`python -m simulator`."""
