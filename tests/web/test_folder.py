"""The folder that the processes of a server share."""

import tempfile
from pathlib import Path

import pytest

from web.folder import FOLDER_VARIABLE, announce_stop, is_stopping, shared_folder


@pytest.fixture(autouse=True)
def temporary(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setenv(FOLDER_VARIABLE, "")  # to be as it was after the test
    return tmp_path


def test_a_folder_that_is_in_use_stays_and_one_that_was_left_goes(temporary: Path) -> None:
    left, made_just_now = temporary / "anwen-metrics-left", temporary / "anwen-metrics-new"
    for folder in (left, made_just_now):
        folder.mkdir()
    (left / "counter_7.db").touch()
    with shared_folder() as first:
        (first / "counter_8.db").touch()
        assert set(temporary.iterdir()) == {first, made_just_now}
        with shared_folder() as second:
            assert set(temporary.iterdir()) == {first, second, made_just_now}
    assert set(temporary.iterdir()) == {made_just_now}


def test_what_is_no_folder_of_a_server_is_left_alone(temporary: Path) -> None:
    elsewhere = temporary / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "article.md").touch()
    (temporary / "anwen-metrics-link").symlink_to(elsewhere)
    (temporary / "anwen-metrics-file").touch()
    with shared_folder():
        pass
    assert (elsewhere / "article.md").exists()
    assert len(list(temporary.iterdir())) == 3


def test_a_stop_is_known_where_the_folder_is() -> None:
    assert not is_stopping()
    with shared_folder() as folder:
        assert not is_stopping()
        announce_stop(folder)
        assert is_stopping()
