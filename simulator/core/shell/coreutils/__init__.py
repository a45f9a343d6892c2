"""The commands of an Ubuntu host: one module each (or one a family), gathered in `table.COMMANDS`."""
