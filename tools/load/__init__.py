"""`make load`: many learners at once over real WebSockets and HTTP, against PostgreSQL, Redis, two web and two worker processes."""
