"""Which schema this code reads and writes."""

from __future__ import annotations

SCHEMA_VERSION = "0006"
"""The newest migration; what a store made by this version is stamped with."""

VERSION_TABLE = "pachyderm_schema"
"""Alembic's table, which holds the stamp."""
