"""The simulator core: pure Python, no Django, Celery, Redis, asyncio, clocks, files or sockets.

State is plain data, behaviour is functions on it, time is a queue of timers.  See
`docs/architecture.md` for the rules that every package below follows.
"""
