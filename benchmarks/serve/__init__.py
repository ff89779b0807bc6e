"""How the server holds out: load, kills, attacks and their figures; `make bench-serve` prints the table."""
