"""The instructor's desk: what staff of a cohort record and ask for beside learners' own work (docs/desk.md)."""
