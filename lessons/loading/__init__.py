"""Read a course folder, say everything that is wrong with it, and put it up.  Formats: docs/authoring.md."""
