"""A small server that speaks docs/protocol.md over a scripted terminal, so that the page scripts are tested without the site."""
