"""What every command does around its work: composes its settings, and answers a user's mistake with a sentence."""

import contextlib
import difflib
import functools
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import hydra
from omegaconf import DictConfig, OmegaConf

from mlff.run.settings import flat

CONF = Path(__file__).parents[2] / "conf"


def command(config_name: str, folder: str = "") -> Callable[[Callable], Callable[[], None]]:
    """Make a function of a configuration a command line.

    A refusal (ValueError, a missing file or package, a setting left out) ends with `error: …` and status 1;
    HYDRA_FULL_ERROR=1 shows where it was found.

    Args:
        config_name: the root in conf/; folder: below conf/ where the root does not lie beside the groups.
    """

    def decorate(work: Callable) -> Callable[[], None]:
        @functools.wraps(work)
        def refuse_plainly(cfg: DictConfig):
            with plain_errors():
                require_all(cfg)
                return work(cfg)

        main = hydra.main(config_path=str(CONF / folder), config_name=config_name, version_base="1.3")(refuse_plainly)

        @functools.wraps(work)
        def run() -> None:
            with plain_errors():
                refuse_additions(sys.argv[1:])
            try:
                main()
            except SystemExit as end:
                # Hydra has said which override it cannot apply; that no `+` helps, and what was meant, it does not know
                if end.code and (hints := nearest_settings(sys.argv[1:], config_name, CONF / folder)):
                    print("\n".join(hints), file=sys.stderr)
                raise

        return run

    return decorate


@contextlib.contextmanager
def plain_errors() -> Iterator[None]:
    """Turns a refusal into its sentence, and leaves no empty run folder behind."""
    from hydra.errors import HydraException
    from omegaconf.errors import OmegaConfBaseException

    try:
        yield
    except (ValueError, FileNotFoundError, ImportError, HydraException, OmegaConfBaseException) as error:
        if os.environ.get("HYDRA_FULL_ERROR") == "1":
            raise
        _remove_if_empty()
        raise SystemExit(f"error: {error}") from None


def require_all(cfg: DictConfig) -> None:
    """Refuse a configuration with settings that have no default and were not given."""
    missing = sorted(OmegaConf.missing_keys(cfg))
    if missing:
        raise ValueError(f"not given: {', '.join(missing)}; say {' '.join(f'{key}=…' for key in missing)} (--help lists every setting)")


def refuse_additions(overrides: Sequence[str]) -> None:
    """Refuse `+key=value`: it adds a setting that nothing reads. `+experiment=…` is the one addition there is."""
    added = [o for o in overrides if o.startswith("+") and not o.startswith(("+experiment=", "++"))]
    if added:
        bare = added[0].removeprefix("+")
        raise ValueError(f"{added[0]} would add a setting that nothing reads; change one that exists, {bare}, or look at --help")


def nearest_settings(overrides: Sequence[str], config_name: str, folder: Path) -> list[str]:
    """For each override of a setting that does not exist, a sentence that names the nearest one."""
    plain = [o for o in overrides if "=" in o and not o.startswith(("+", "~", "-", "hydra"))]
    groups = [o for o in plain if (folder / o.partition("=")[0]).is_dir()]
    plain = [o for o in plain if o not in groups]
    try:
        with hydra.initialize_config_dir(str(folder), version_base="1.3"):
            known = _names(hydra.compose(config_name, [*groups, *(o for o in overrides if o.startswith("+experiment="))]))
    except Exception:  # a group or experiment that does not exist: Hydra has listed those there are
        return []
    known += [str(child.relative_to(folder)) for child in folder.rglob("*") if child.is_dir()]
    hints = []
    for name in (o.partition("=")[0] for o in plain):
        if name not in known and (near := _nearest(name, known)):
            hints.append(f"error: there is no setting `{name}`; did you mean {' or '.join(near)}?")
    return hints


def _nearest(name: str, known: Sequence[str]) -> list[str]:
    """Settings spelt alike, or of the same last name elsewhere."""
    alike = difflib.get_close_matches(name, known, n=1, cutoff=0.75)
    last = name.rpartition(".")[2]
    return alike or [k for k in known if difflib.SequenceMatcher(None, k.rpartition(".")[2], last).ratio() > 0.85][:3]


def _names(cfg: DictConfig) -> list[str]:
    """The dotted names of all settings, and of the mappings that hold them."""
    settings = [name.split(".") for name in flat(OmegaConf.to_container(cfg, resolve=False))]
    return list(dict.fromkeys(".".join(parts[: k + 1]) for parts in settings for k in range(len(parts))))


def _remove_if_empty() -> None:
    """The folder that Hydra made for a run which never began."""
    from hydra.core.hydra_config import HydraConfig

    if HydraConfig.initialized():
        with contextlib.suppress(OSError):
            Path(HydraConfig.get().runtime.output_dir).rmdir()
