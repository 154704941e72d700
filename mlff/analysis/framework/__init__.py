"""What the framework of a crystal does: how far it drifts, how it swings, and whether it holds."""
