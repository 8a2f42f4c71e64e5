"""Whether what was scored differs by more than chance; no evaluation depends on it."""
