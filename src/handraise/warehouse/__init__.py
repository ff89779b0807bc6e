"""Where analysis runs: the engine, the tables it holds, and the named steps that are run on it."""
