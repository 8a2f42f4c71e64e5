"""Encoders and their checkpoints, losses, mining and the training loop."""
