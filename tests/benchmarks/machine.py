"""What the figures were measured on."""

import os
import platform
import re
import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

__all__ = ["describe_machine"]

_LIBRARIES = ("numpy", "rjieba", "jieba", "whoosh", "tantivy")


def describe_machine() -> dict[str, str]:
    """Return processor, memory, and versions by name."""
    processor = re.search(r"model name\s*:\s*(.+)", _read("/proc/cpuinfo"))
    memory = re.search(r"MemTotal:\s*(\d+)", _read("/proc/meminfo"))
    return {
        "processor": processor[1] if processor else platform.processor(),
        "cores": str(os.cpu_count()),
        "memory": f"{int(memory[1]) / 2**20:.0f} GB" if memory else "unknown",
        "system": platform.platform(),
        "load": f"{os.getloadavg()[0]:.1f} before the run",
        "commit": _commit(),
        "Python": platform.python_version(),
        **{name: _version(name) for name in _LIBRARIES},
    }


def _read(path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8")
    except OSError:
        return ""


def _commit() -> str:
    try:
        command = ["git", "describe", "--always", "--dirty"]
        found = subprocess.run(
            command, cwd=Path(__file__).parent, capture_output=True, text=True, check=True
        )
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return found.stdout.strip()


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed"
