"""Grades: what counts, and the evidence that it rests on."""
