"""Accept or refuse each row that comes in, with a reason; store it once."""
