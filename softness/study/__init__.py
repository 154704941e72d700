"""From trajectories to a plane and a report: composes softness with the rest of the project, as mlff.run does for the other commands."""

from softness.study.study import study

__all__ = ["study"]
