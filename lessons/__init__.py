"""The course: content, learners' progress, labs, quizzes, grades and instructors' views."""
