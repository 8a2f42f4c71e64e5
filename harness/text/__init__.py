"""Text by causal language models."""
