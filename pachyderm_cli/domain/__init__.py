"""The pure heart: references, messages, entities, JSON. No I/O."""
