"""What learners look things up in: the glossary, the commands of each chapter, and the search over all of the course."""
