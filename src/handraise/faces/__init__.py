"""Where people and machines meet handraise: thin, and the only place that reads the clock and the environment."""
