"""Who should act, how fast, and when nobody should: triggers, lanes, restraint and the life of an account that is worked on."""
