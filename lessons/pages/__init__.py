"""Learners' pages.  Views here compose what labs, quizzes and grading do; the rules are there."""
