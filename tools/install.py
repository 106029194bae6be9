"""Make the virtual environment and install the lock into it, with progress. Standard library only.

    python3 tools/install.py .venv requirements-sandbox.lock

uv is used where it is found (seconds instead of a minute), and never required. The environment itself always comes
from `python -m venv`: Pulumi's pip toolchain needs the pip inside. What pip said lies in <venv>/install.log.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

OLDEST = (3, 11)


def main(folder: str, lock: str) -> int:
    """Returns the exit code: 0 where everything is installed."""
    if sys.version_info < OLDEST:
        found = ".".join(map(str, sys.version_info[:3]))
        return _fail(
            f"Python 3.11 or newer is needed; this is {found}. Try: make PYTHON=python3.12"
        )
    environment, python = Path(folder), Path(folder, "bin", "python")
    if not python.exists():
        print(f"Making {environment} ...", flush=True)
        made = subprocess.run([sys.executable, "-m", "venv", environment], check=False)
        if made.returncode:
            shutil.rmtree(environment, ignore_errors=True)
            return _fail(
                "python -m venv failed; on Debian and Ubuntu install the package python3-venv"
            )
    uv = shutil.which("uv")
    if uv:
        command = [uv, "pip", "install", "--quiet", "--python", str(python)]
        return subprocess.run([*command, "--require-hashes", "-r", lock], check=False).returncode
    return _pip(python, lock, environment / "install.log")


def _pip(python: Path, lock: str, log: Path) -> int:
    named = re.findall(r"^[\w.-]+==.*", Path(lock).read_text(encoding="utf-8"), re.MULTILINE)
    pinned = {line.split()[0] for line in named if "win32" not in line}
    missing = pinned - _installed(log.parent)
    print(f"Installing {len(missing)} packages, about a minute, once ...", flush=True)
    command = [str(python), "-m", "pip", "install", "--disable-pip-version-check"]
    seen = 0
    with (
        log.open("w", encoding="utf-8") as out,
        subprocess.Popen(
            [*command, "--require-hashes", "-r", lock],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        ) as pip,
    ):
        for line in pip.stdout or ():
            out.write(line)
            if line.startswith("Collecting "):
                seen += 1
                _progress(f"  {seen} of {len(missing)}: {line.split()[1].split('==')[0]}")
            elif line.startswith("Installing collected"):
                _progress("  unpacking ...")
    if sys.stdout.isatty():
        print()
    if pip.returncode:
        last = [line for line in log.read_text(encoding="utf-8").splitlines() if line.strip()][-3:]
        return _fail("\n".join(["pip failed:", *last, f"All of it: {log}"]))
    return 0


def _installed(environment: Path) -> set[str]:
    """What is there already, as `name==version`."""
    folders = environment.glob("lib/python*/site-packages/*.dist-info")
    names = (folder.name.removesuffix(".dist-info").rpartition("-") for folder in folders)
    return {f"{name.lower().replace('_', '-')}=={version}" for name, _, version in names}


def _progress(text: str) -> None:
    if sys.stdout.isatty():
        print(f"\r\033[K{text}", end="", flush=True)
    else:
        print(text, flush=True)


def _fail(text: str) -> int:
    print(text, file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2]))
