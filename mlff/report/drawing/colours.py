"""Which curve has which colour: those of one name share it, such as points and the line through them."""

from collections.abc import Sequence

from mlff.report.panels import Curve


def colours_of(curves: Sequence[Curve], n: int) -> dict[str, int]:
    """Number of the colour, of n, by name of the curve, in order."""
    return colours_of_names([curve.name for curve in curves], n)


def colours_of_names(names: Sequence[str], n: int) -> dict[str, int]:
    """Number of the colour, of n, by name, in order."""
    return {name: k % n for k, name in enumerate(dict.fromkeys(names))}
