"""One training loop for every method: stages, budgets, checkpoints, exact resume, accounts."""
