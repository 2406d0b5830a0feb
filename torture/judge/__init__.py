"""The history checker: it knows the clients' own logs and the raw tables, and none of the engine's code."""
