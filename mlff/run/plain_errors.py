"""A user's mistake is answered with its sentence alone, not with the stack of calls that found it."""

import functools
import os
from collections.abc import Callable


def plain_errors(command: Callable) -> Callable:
    """End with `error: …` and status 1 where a command refuses what it was given; HYDRA_FULL_ERROR=1 shows where it was found."""

    @functools.wraps(command)
    def run(cfg):
        from hydra.errors import HydraException
        from omegaconf.errors import OmegaConfBaseException

        try:
            return command(cfg)
        except (ValueError, FileNotFoundError, ImportError, HydraException, OmegaConfBaseException) as error:
            if os.environ.get("HYDRA_FULL_ERROR") == "1":
                raise
            raise SystemExit(f"error: {error}") from None

    return run
