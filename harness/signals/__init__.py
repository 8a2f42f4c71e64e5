"""Teacher signals: asked for once, kept, and shared by all distillers."""
