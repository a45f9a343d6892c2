"""Full-screen programs: vi, nano, less.  They read keys of a terminal in raw mode and draw with escape sequences (docs/adr: editors)."""
