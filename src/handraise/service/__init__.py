"""The composition root and the path: where the stages are wired together, and nowhere else."""
