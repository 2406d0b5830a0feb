"""Who is measured: each sends one message, durably, to one of some entities."""
