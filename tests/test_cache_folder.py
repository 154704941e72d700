import threading
import time

from mlff.cache_folder import cache_folder, one_at_a_time


def test_it_follows_the_environment(tmp_path, monkeypatch):
    monkeypatch.setenv("MLFF_CACHE", str(tmp_path / "here"))
    assert cache_folder() == tmp_path / "here"
    for nothing in (lambda: monkeypatch.setenv("MLFF_CACHE", ""), lambda: monkeypatch.delenv("MLFF_CACHE")):
        nothing()
        assert cache_folder().parts[-2:] == (".cache", "mlff")


def test_what_several_would_make_is_made_once(tmp_path):
    made = []

    def make():
        with one_at_a_time(tmp_path / "folder" / "kept"):
            if not made:
                time.sleep(0.05)  # long enough for the others to look
                made.append(True)

    threads = [threading.Thread(target=make) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert made == [True]
