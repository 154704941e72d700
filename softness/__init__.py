"""Softness: how local structure predicts ion rearrangements, learnt from trajectories (arrays in, arrays out)."""
