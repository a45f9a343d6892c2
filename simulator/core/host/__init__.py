"""A Linux box as plain data: files, processes, units, journal, users."""
