"""What is said to the databases, written once in SQLAlchemy Core for both of them.

Loaded for what has to be compiled alone: `compiled.json` beside this holds what SQLite is told of it, so that a command
on a file starts without SQLAlchemy, which takes longer to load than all else together. `make statements` writes it.
"""
