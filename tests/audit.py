"""Whether what Anwen depends on has known vulnerabilities: `make audit`.

Exit 0 says that every dependency was looked up and has none, 1 that some have. 2 says that nobody
knows: the service did not answer, or not for all. That is never taken for a good answer.
"""

import json
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

__all__ = ["audit", "main", "pinned"]

_PIN = re.compile(r"(?P<name>[A-Za-z0-9._-]+)==(?P<version>[^\s;\\]+)(?P<marker>\s*;[^\\]*)?")
_SECONDS = 300  # for all dependencies; the service answers in one


def pinned(requirements: str) -> dict[str, str]:
    """Return names and versions of a file of requirements, but for those of other platforms."""
    found = map(_PIN.match, requirements.splitlines())
    return {_name(pin["name"]): pin["version"] for pin in found if pin and not pin["marker"]}


def audit(tool: Sequence[str], requirements: Path) -> tuple[int, str]:
    """Return the exit status and what to print, as the tool answers for a file of requirements."""
    command = [*tool, "--strict", "--disable-pip", "--require-hashes", "--progress-spinner=off"]
    command += ["--format=json", "--requirement", str(requirements)]
    try:
        run = subprocess.run(command, capture_output=True, text=True, timeout=_SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        return 2, f"not audited: {error}"
    try:
        answer = json.loads(run.stdout)["dependencies"]
        looked_up = {_name(each["name"]): each["version"] for each in answer if "vulns" in each}
        bad = [
            f"{each['name']} {each['version']}: {found['id']}, mended in "
            f"{', '.join(found['fix_versions']) or 'no version'}"
            for each in answer
            for found in each.get("vulns", ())
        ]
    except (ValueError, KeyError, TypeError):
        lines = run.stderr.strip().splitlines() or [f"no answer, status {run.returncode}"]
        return 2, f"not audited: {lines[-1]}"
    if bad:
        return 1, "\n".join([f"{len(bad)} known vulnerabilities", *bad])
    wanted = pinned(requirements.read_text(encoding="utf-8"))
    missing = sorted(name for name in wanted if looked_up.get(name) != wanted[name])
    if missing or not wanted or run.returncode:
        return 2, f"not audited: no answer for {', '.join(missing) or requirements}"
    return 0, f"audited: {len(looked_up)} dependencies, no known vulnerability"


def main(arguments: Sequence[str]) -> int:
    """Audit a file with a tool, PROGRAM FILE, and print what was found."""
    program, file = arguments
    status, told = audit([program], Path(file))
    sys.stdout.write(f"{told}\n")
    return status


def _name(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
