"""Scenarios of Killercoda and Katacoda as pages of a course, and a course's lessons in their format (docs/scenarios.md)."""
