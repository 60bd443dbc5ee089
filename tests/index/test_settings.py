"""Settings: where a value comes from, and what a wrong one says."""

from dataclasses import fields
from ipaddress import ip_network
from pathlib import Path

import pytest

from index.errors import SettingsError
from index.settings import Settings, load_settings, read_settings


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
        ("site = 'x'", "Unknown setting 'site'.*Settings: allowed_origins, backend, base_url"),
        ("workers = 'many'", "whole number"),
        ("workers = 0", "whole number"),
        ("workers = -1", "whole number"),
        ("workers = true", "whole number"),
        ("workers = '3'", "whole number"),
        ("workers = 2.0", "whole number"),
        ("request_seconds = inf", "whole number"),
        ("site_name = 3", "text in quotation marks"),
        ('site_name = "a\\nb"', "one line"),
        ("data = 3", "path in quotation marks"),
        ("terms = 'nowhere.txt'", "terms names nowhere.txt, which is no file"),
        ("terms = 1", "path in quotation marks"),
        ("log_queries = 'yes'", "true or false"),
        ("log_queries = 1", "true or false"),
        ("rate_limit = 60", "text in quotation marks"),
        ("rate_limit = '60'", "such as 60/minute"),
        ("rate_limit = '0/minute'", "such as 60/minute"),
        ("rate_limit = '60/fortnight'", "such as 60/minute"),
        ("trusted_proxies = '10.0.0.300'", "an address such as 10.0.0.5"),
        ("trusted_proxies = '10.0.0.1/8'", "host bits set.*a network such as 10.0.0.0/8"),
        ("trusted_proxies = [1]", "a list of texts"),
        ("trusted_proxies = true", "a list of texts"),
        ("metrics_readers = 'monitor.example'", "an address such as"),
        ("base_url = 'news.example'", "https://news.example"),
        ("base_url = 'https://'", "https://news.example"),
        ("base_url = 'https://news.example:port/'", "https://news.example"),
        ("base_url = 'https://news.example/?a=1'", "https://news.example"),
        ("base_url = 'javascript:alert(1)'", "https://news.example"),
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


def test_a_file_that_is_no_text_is_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "anwen.toml").write_bytes(b"site_name = '\xff'")
    with pytest.raises(SettingsError, match=r"anwen\.toml cannot be read"):
        load_settings({}, data=tmp_path)


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("ANWEN_WORKERS", "two"),
        ("ANWEN_WORKERS", "²"),
        ("ANWEN_WORKERS", "1e3"),
        ("ANWEN_REQUEST_SECONDS", "0"),
        ("ANWEN_LOG_QUERIES", "maybe"),
        ("ANWEN_RATE_LIMIT", "many"),
        ("ANWEN_TRUSTED_PROXIES", "10.0.0.1, proxy"),
        ("ANWEN_TERMS", "/nowhere/terms.txt"),
    ],
)
def test_a_wrong_variable_is_refused_by_its_setting(variable: str, value: str) -> None:
    with pytest.raises(SettingsError, match=variable.removeprefix("ANWEN_").lower()):
        load_settings({variable: value})


def test_a_refused_address_does_not_show_its_password() -> None:
    with pytest.raises(SettingsError) as caught:
        load_settings({"ANWEN_BASE_URL": "https://admin:hunter2@news.example"})
    assert "hunter2" not in str(caught.value)


def test_what_a_deployment_needs_is_read_from_environment_and_file_alike(tmp_path: Path) -> None:
    environment = {
        "ANWEN_TRUSTED_PROXIES": "10.0.0.0/8, fd00::5",
        "ANWEN_RATE_LIMIT": "60/minute",
        "ANWEN_LOG_QUERIES": "Yes",
        "ANWEN_REQUEST_SECONDS": "5",
    }
    (tmp_path / "anwen.toml").write_text(
        'trusted_proxies = ["10.0.0.0/8", "fd00::5"]\nrate_limit = "60/minute"\n'
        "log_queries = true\nrequest_seconds = 5\n",
        encoding="utf-8",
    )
    settings = load_settings(environment)
    assert settings == Settings(
        trusted_proxies=(ip_network("10.0.0.0/8"), ip_network("fd00::5")),
        rate_limit="60/minute",
        log_queries=True,
        request_seconds=5,
    )
    assert load_settings({"ANWEN_DATA": str(tmp_path)}) == load_settings(environment, data=tmp_path)


def test_every_setting_tells_where_it_came_from(tmp_path: Path) -> None:
    (tmp_path / "anwen.toml").write_text("workers = 3\nmemory = 500\n", encoding="utf-8")
    loaded = read_settings({"ANWEN_MEMORY": "600", "ANWEN_WORKER": "4"}, data=tmp_path)
    assert set(loaded.sources) == {field.name for field in fields(Settings)}
    assert loaded.sources["workers"] == str(tmp_path / "anwen.toml")
    assert loaded.sources["memory"] == "ANWEN_MEMORY"
    assert loaded.sources["data"] == "command line"
    assert loaded.sources["cache"] == "default"
    assert loaded.ignored == ("ANWEN_WORKER",)


@pytest.mark.parametrize(
    ("variables", "message"),
    [
        ({"ANWEN_TERMS": "a" * 300}, r"terms names a+, which cannot be read: File name too long"),
        ({"ANWEN_TERMS": "~nobody-of-that-name/x"}, "no such user on this machine"),
        ({"ANWEN_DATA": "~nobody-of-that-name"}, "no such user on this machine"),
    ],
)
def test_a_path_that_cannot_be_looked_at_is_refused(
    variables: dict[str, str], message: str
) -> None:
    with pytest.raises(SettingsError, match=message):
        load_settings(variables)


def test_a_table_in_a_folder_that_may_not_be_entered_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(_: Path) -> bool:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "is_file", refuse)
    with pytest.raises(SettingsError, match="cannot be read: Permission denied"):
        load_settings({"ANWEN_TERMS": "private/terms.txt"})
