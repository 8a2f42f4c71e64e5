"""Encoders and their checkpoints; later, losses, mining and the training loop."""
