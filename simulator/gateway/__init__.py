"""The edge: real clients' HTTP to the simulated API server and back.  Transport only; what is answered comes from the world."""
