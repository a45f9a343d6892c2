"""The registry: generic verbs, and one strategy a kind."""
