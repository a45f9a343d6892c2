"""The instructor's side of quizzes and grades: giving them out, granting more, marking by hand, regrading, editing questions.

It stands above pages and loading (the editor checks questions by the rules of the files) and is imported by the table of addresses only.
"""
