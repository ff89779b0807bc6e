"""The door for events: what tracking libraries send is stored durably, or the sender is told that it is not."""
