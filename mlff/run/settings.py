"""Settings of a configuration by their dotted names."""


def flat(node: dict, prefix: str = "") -> dict[str, object]:
    """`{"trainer": {"clip": 10.0}}` → `{"trainer.clip": 10.0}`; an empty mapping is a value."""
    settings: dict[str, object] = {}
    for key, value in node.items():
        settings |= flat(value, f"{prefix}{key}.") if isinstance(value, dict) and value else {f"{prefix}{key}": value}
    return settings
