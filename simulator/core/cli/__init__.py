"""The command-line clients: one package or module a tool, each a client of a simulated server, never of its insides."""
