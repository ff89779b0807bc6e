"""The event log: append-only, checksummed, synced before anybody is told that an event is stored. It is the truth."""
