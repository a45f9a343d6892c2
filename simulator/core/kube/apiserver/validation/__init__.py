"""Validation with the real messages and causes, one file a group of kinds."""
