"""Known vulnerabilities of what Tamis is installed with, and its software bill of materials.

Run by `make audit`. pip-audit says "No known vulnerabilities found" also where the advisory service knew none of the
packages, as behind a mirror: this reads its report and says how many were looked up. Exit status: 0 all looked up and
none known, 1 some known, 2 no answer for all or some of the packages.
"""

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

LOCKS = ("requirements.lock", "requirements-build.lock")
BILL = Path("dist/sbom.cdx.json")


@dataclass(frozen=True, slots=True)
class Verdict:
    status: int
    lines: tuple[str, ...]


def judge(report: str) -> Verdict:
    """What pip-audit's JSON report says. `report` is empty where it gave none."""
    try:
        packages = json.loads(report)["dependencies"]
    except (ValueError, KeyError, TypeError):
        return Verdict(2, ("No advisory service answered: nothing was looked up.",))
    unknown = [package["name"] for package in packages if "skip_reason" in package]
    known = [_told(package, flaw) for package in packages for flaw in package.get("vulns", [])]
    looked_up = len(packages) - len(unknown)
    lines = [f"{looked_up} of {len(packages)} packages were looked up, {len(known)} advisories.", *known]
    if unknown and looked_up:
        lines.append(f"The advisory service did not know {len(unknown)}: {', '.join(sorted(unknown))}")
    elif unknown:
        lines.append("The advisory service knew none of them: this says nothing of their safety.")
    return Verdict(1 if known else 2 if unknown else 0, tuple(lines))


def _told(package: dict[str, Any], flaw: dict[str, Any]) -> str:
    mended = ", ".join(flaw["fix_versions"]) or "no version"
    return f"{package['name']} {package['version']}: {flaw['id']}, mended in {mended}"


def main() -> int:
    _write_bill()
    locks = [word for lock in LOCKS for word in ("--requirement", lock)]
    command = [sys.executable, "-m", "pip_audit", *locks, "--disable-pip", "--require-hashes", "--format", "json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    verdict = judge(done.stdout)
    if not done.stdout:
        print(
            done.stderr.strip().splitlines()[-1] if done.stderr.strip() else "pip-audit said nothing", file=sys.stderr
        )
    print("\n".join(verdict.lines))
    return verdict.status


def _write_bill() -> None:
    BILL.parent.mkdir(exist_ok=True)
    command = [sys.executable, "-m", "cyclonedx_py", "requirements", LOCKS[0], "--output-reproducible"]
    subprocess.run([*command, "--pyproject", "pyproject.toml", "--output-file", str(BILL)], check=True)
    print(f"Bill of materials (CycloneDX): {BILL}")


if __name__ == "__main__":
    sys.exit(main())
