"""The load: an entity type, and clients that send, work and follow until they are killed."""
