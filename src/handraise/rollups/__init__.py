"""One row per person and day: the only thing that scoring reads of the events."""
