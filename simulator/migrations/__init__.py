"""Database migrations of the simulator."""
