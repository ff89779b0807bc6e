"""How each engine says what its SQL would otherwise say with another result, or not at all."""
