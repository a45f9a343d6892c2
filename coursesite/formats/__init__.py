"""How dates and times read in each language: days before months, and 24 hours, so that 3/4 and 12:30 mean one thing to everybody."""
