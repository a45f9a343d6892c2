"""Classical test theory in plain Python: no Django, no database.  Formulas with their sources: docs/desk.md."""
