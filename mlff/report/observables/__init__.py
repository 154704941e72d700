"""What is shown of each observable; one file per observable, which registers itself with `describe`."""

from importlib import import_module
from pkgutil import iter_modules

from mlff.report.observables.describe import describe

for _module in iter_modules(__path__):
    import_module(f"mlff.report.observables.{_module.name}")

__all__ = ["describe"]
