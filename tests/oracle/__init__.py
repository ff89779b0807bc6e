"""An independent scorer: written from the domain rules alone, used as the oracle of the tests."""
