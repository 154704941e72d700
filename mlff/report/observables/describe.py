"""From the result of an observable to what is shown of it; each observable's module registers how."""

from functools import singledispatch

from mlff.analysis import System
from mlff.report.panels import Description


@singledispatch
def describe(result: object, system: System) -> Description:
    """What to show of a result of an observable of this system.

    Raises:
        TypeError: nobody registered how.
    """
    raise TypeError(f"found a {type(result).__name__}, expected the result of an observable; write mlff/report/observables/<its name>.py")
