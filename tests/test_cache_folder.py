from mlff.cache_folder import cache_folder


def test_it_follows_the_environment(tmp_path, monkeypatch):
    monkeypatch.setenv("MLFF_CACHE", str(tmp_path / "here"))
    assert cache_folder() == tmp_path / "here"
    for nothing in (lambda: monkeypatch.setenv("MLFF_CACHE", ""), lambda: monkeypatch.delenv("MLFF_CACHE")):
        nothing()
        assert cache_folder().parts[-2:] == (".cache", "mlff")
