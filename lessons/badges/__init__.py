"""Open Badges 3.0: a signed credential for a completed course, which anybody can verify without an account."""
