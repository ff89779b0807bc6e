"""What the company decided: roles, signals, ladders, bands, tiers and rules, read from `handraise.yaml`."""
