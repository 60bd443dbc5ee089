"""What `make audit` says, as the tool that it asks answers."""

import json
import sys
from pathlib import Path

import pytest

from tests.audit import audit, pinned

ROOT = Path(__file__).parents[1]
REQUIREMENTS = """\
flask==3.1.2 \\
    --hash=sha256:aa
Prometheus_Client==0.21 \\
    --hash=sha256:bb
colorama==0.4.6 ; sys_platform == 'win32' \\
    --hash=sha256:cc
"""
FLASK = {"name": "flask", "version": "3.1.2", "vulns": []}
CLIENT = {"name": "prometheus-client", "version": "0.21", "vulns": []}
BAD = {"id": "PYSEC-2026-1", "fix_versions": ["3.1.3"], "aliases": [], "description": ""}


def asked(tmp_path: Path, out: str, err: str = "", status: int = 0) -> tuple[int, str]:
    """Audit with a tool that answers so."""
    tool = tmp_path / "tool.py"
    tool.write_text(
        f"import sys\nsys.stdout.write({out!r})\nsys.stderr.write({err!r})\nsys.exit({status})\n",
        encoding="utf-8",
    )
    file = tmp_path / "requirements.txt"
    file.write_text(REQUIREMENTS, encoding="utf-8")
    return audit([sys.executable, str(tool)], file)


def test_where_every_dependency_was_looked_up_and_has_nothing_it_is_green(tmp_path: Path) -> None:
    status, told = asked(tmp_path, json.dumps({"dependencies": [FLASK, CLIENT]}))
    assert (status, told) == (0, "audited: 2 dependencies, no known vulnerability")


def test_a_vulnerability_is_named_with_what_mends_it(tmp_path: Path) -> None:
    answer = {"dependencies": [FLASK | {"vulns": [BAD]}, CLIENT]}
    status, told = asked(tmp_path, json.dumps(answer), status=1)
    assert status == 1
    assert "flask 3.1.2: PYSEC-2026-1, mended in 3.1.3" in told


@pytest.mark.parametrize(
    ("out", "err", "status"),
    [
        ("", "ERROR:pip_audit._cli:flask: Dependency not found on PyPI", 1),
        ("", "", 0),
        ("", "Connection refused", 0),
        ("{}", "", 0),
        ("[]", "", 0),
        ('{"dependencies": []}', "", 0),
        ('{"dependencies": null}', "", 0),
        (json.dumps({"dependencies": [FLASK]}), "", 0),
        (json.dumps({"dependencies": [FLASK, CLIENT]}), "something else failed", 1),
        (json.dumps({"dependencies": [FLASK, CLIENT | {"version": "0.20"}]}), "", 0),
        (
            json.dumps(
                {"dependencies": [FLASK, {"name": "prometheus-client", "skip_reason": "x"}]}
            ),
            "",
            0,
        ),
    ],
)
def test_what_nobody_has_answered_is_not_audited_and_never_green(
    tmp_path: Path, out: str, err: str, status: int
) -> None:
    found, told = asked(tmp_path, out, err, status)
    assert found == 2
    assert told.startswith("not audited: ")


def test_a_tool_that_is_not_there_has_audited_nothing(tmp_path: Path) -> None:
    file = tmp_path / "requirements.txt"
    file.write_text(REQUIREMENTS, encoding="utf-8")
    status, told = audit([str(tmp_path / "none")], file)
    assert status == 2
    assert told.startswith("not audited: ")


def test_the_dependencies_that_are_asked_about_are_those_that_are_installed() -> None:
    found = pinned((ROOT / "requirements.txt").read_text(encoding="utf-8"))
    assert {"flask", "whoosh", "lxml", "granian", "jinja2", "werkzeug"} <= found.keys()
