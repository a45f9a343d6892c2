"""Markdown to the parts of a page, once per content version."""
