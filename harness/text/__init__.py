"""Text by language models: on this machine, or behind an OpenAI-compatible endpoint."""
