"""How fast handraise is, measured on the machine that runs it; `make bench` prints the table."""
