"""What Slipway has to tell other systems: kept in the database until they have taken it."""
