"""The HTTP API for programs: tokens with scopes, reading, webhooks."""
