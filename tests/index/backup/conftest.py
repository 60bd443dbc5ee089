"""A data folder and its backup, made once; each test has a copy of what it asks for."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from index.document import Article
from index.settings import Settings
from tests.index.backup.saving import saved


@pytest.fixture(scope="session")
def filled(
    tmp_path_factory: pytest.TempPathFactory,
    fill_folder: Callable[..., Any],
    article_maker: Callable[..., Article],
) -> Path:
    """A data folder, and its backup beside it."""
    folder = tmp_path_factory.mktemp("filled")
    articles = [article_maker(id=f"{number:016x}", body=f"正文 n{number}") for number in range(5)]
    fill_folder(folder / "data", articles).close()
    saved(Settings(data=folder / "data"), folder / "backup.tar")
    return folder


@pytest.fixture
def settings(filled: Path, tmp_path: Path) -> Settings:
    return Settings(data=shutil.copytree(filled / "data", tmp_path / "data"))


@pytest.fixture
def archive(filled: Path, tmp_path: Path) -> Path:
    return Path(shutil.copy(filled / "backup.tar", tmp_path))


@pytest.fixture
def other(tmp_path: Path) -> Settings:
    """The settings of a folder that is not there yet, as on another machine."""
    return Settings(data=tmp_path / "elsewhere" / "data")
