"""Settings: where a value comes from, and what a wrong one says."""

from pathlib import Path

import pytest

from index.errors import SettingsError
from index.settings import Settings, load_settings


def test_defaults_work_without_anything() -> None:
    assert load_settings({}) == Settings()


def test_the_environment_goes_before_the_file_and_the_command_line_before_both(
    tmp_path: Path,
) -> None:
    (tmp_path / "anwen.toml").write_text('site_name = "文件"\nworkers = 3\n', encoding="utf-8")
    environment = {"ANWEN_DATA": str(tmp_path), "ANWEN_SITE_NAME": "环境"}
    settings = load_settings(environment)
    assert (settings.site_name, settings.workers, settings.data) == ("环境", 3, tmp_path)
    elsewhere = tmp_path / "elsewhere"
    assert load_settings(environment, data=elsewhere).data == elsewhere


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("site = 'x'", "Unknown setting 'site'.*Settings: allowed_origins, base_url"),
        ("workers = 'many'", "whole number"),
        ("workers = 0", "whole number"),
        ("= broken", "cannot be read"),
        ("allowed_origins = 'portal.example'", "an origin is written https://portal.example"),
        ("allowed_origins = ['https://portal.example/news']", "without a path"),
    ],
)
def test_a_wrong_file_says_what_is_wrong(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "anwen.toml").write_text(text, encoding="utf-8")
    with pytest.raises(SettingsError, match=message):
        load_settings({}, data=tmp_path)


def test_origins_come_with_commas_or_as_a_list(tmp_path: Path) -> None:
    origins = ("https://portal.example", "http://localhost:8000")
    both = "HTTPS://Portal.example/, http://localhost:8000"
    assert load_settings({"ANWEN_ALLOWED_ORIGINS": both}).allowed_origins == origins
    (tmp_path / "anwen.toml").write_text(f"allowed_origins = {list(origins)!r}", encoding="utf-8")
    assert load_settings({}, data=tmp_path).allowed_origins == origins


def test_a_named_file_must_exist(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="does not exist"):
        load_settings({"ANWEN_CONFIG": str(tmp_path / "none.toml")})
