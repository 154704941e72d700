"""The versions a result was made with."""

import platform
from importlib.metadata import PackageNotFoundError, version

PACKAGES = ("mlff", "torch", "torch-geometric", "pytorch-lightning", "numpy", "ase", "vesin", "hydra-core")


def software_versions() -> dict[str, str]:
    """Package → version of what is installed, and Python and the system; nothing that tells one machine from another."""
    versions = {"python": platform.python_version(), "system": f"{platform.system()} {platform.machine()}"}
    for package in PACKAGES:
        try:
            versions[package] = version(package)
        except PackageNotFoundError:
            continue  # an optional part: its absence is shown by its absence
    return versions
