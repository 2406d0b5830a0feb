"""All the SQL: one schema for SQLite and Postgres, written by compare-and-swap."""
