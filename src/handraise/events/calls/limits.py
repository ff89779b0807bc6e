"""How much one request may hold. The numbers are those that Segment publishes; the manual repeats them."""

EVENT_BYTES = 32 * 1024
BATCH_BYTES = 500 * 1024  # of all events of a request together
BODY_BYTES = 1024 * 1024  # of a request after decompression, with what stands around its events
BATCH_EVENTS = 500
SHARED_BYTES = 32 * 1024  # what stands around the events of a request: each of them is kept with it
DEPTH = 64  # of objects and lists inside each other, in one event
ID_BYTES = 1024
FORM_FIELDS = 100

# A later clock than ours is believed for so long; an older event belongs into a file of history.
FUTURE_MINUTES = 5
OLDEST_DAYS = 730
CLOCK_SECONDS = 60  # clocks that differ by less are taken as they are
