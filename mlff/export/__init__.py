"""Engines that run a trained model."""
