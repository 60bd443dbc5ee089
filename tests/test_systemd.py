"""The units under docs/systemd: systemd takes them as they are."""

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

import pytest

UNITS = sorted((Path(__file__).parents[1] / "docs" / "systemd").iterdir())


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_systemd_finds_nothing_wrong_with_a_unit(
    unit: Path, tmp_path: Path, lacking: Callable[[str], NoReturn]
) -> None:
    program = shutil.which("systemd-analyze") or lacking("systemd-analyze")
    for each in UNITS:  # a timer is checked with its service
        text = each.read_text(encoding="utf-8").replace("/opt/anwen/bin/anwen", "/bin/true")
        (tmp_path / each.name).write_text(text, encoding="utf-8")
    checked = subprocess.run(
        [program, "verify", "--man=no", tmp_path / unit.name], capture_output=True, text=True
    )
    assert (checked.returncode, checked.stderr) == (0, "")


def test_every_unit_is_in_the_documentation() -> None:
    text = (UNITS[0].parents[1] / "operating.md").read_text(encoding="utf-8")
    for unit in UNITS:
        assert f"(systemd/{unit.name})" in text
