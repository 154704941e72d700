"""How far ions go, each by itself."""
