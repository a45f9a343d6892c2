"""One file a subresource (or family of them)."""
