"""What to run (plan), how one evaluation runs from top to bottom (evaluate), and who runs it (executors)."""
