"""The engine: entity modules, sending, loading, effects."""
