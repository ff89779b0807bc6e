"""A simulated product-led company: canonical input files with known truth for demos, tests, benchmarks."""

from handraise.simulate.run import SimulationSummary, simulate

__all__ = ["SimulationSummary", "simulate"]
