"""Instructors' read-only views."""
