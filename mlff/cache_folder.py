"""Where everything is kept that is computed once and could be computed again."""

import os
from pathlib import Path


def cache_folder() -> Path:
    """$MLFF_CACHE, else ~/.cache/mlff; it need not exist yet."""
    return Path(os.environ.get("MLFF_CACHE") or Path.home() / ".cache" / "mlff")
