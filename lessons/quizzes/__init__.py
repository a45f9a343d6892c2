"""Questions, quizzes, attempts and their marks."""
