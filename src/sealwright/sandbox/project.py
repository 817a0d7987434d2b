"""A tiny real project, built on the spot without a network: one wheel and one sdist.

Enters: a name, a version, a folder. Leaves: files that pip installs. The same input gives the same bytes.
"""

import base64
import gzip
import hashlib
import io
import tarfile
import zipfile
from pathlib import Path

_LONG_AGO = (1980, 1, 1, 0, 0, 0)  # the earliest time that a ZIP can hold


def build_wheel(folder: Path, name: str, version: str, *, inside: str = "", number: str = "") -> Path:
    """Write NAME-VERSION-py3-none-any.whl and return its path; `inside` is the version that METADATA states instead.

    A build `number` stands in the name after the version, and in WHEEL.
    """
    module = name.replace("-", "_")
    info = f"{module}-{version}.dist-info"
    contents = {
        f"{module}.py": f'"""A tiny project."""\n\n__version__ = "{version}"\n',
        f"{info}/METADATA": _metadata(name, inside or version),
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: sealwright\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        + (f"Build: {number}\n" if number else ""),
    }
    rows = [f"{path},sha256={_record_digest(text)},{len(text.encode())}\n" for path, text in contents.items()]
    contents[f"{info}/RECORD"] = "".join(rows) + f"{info}/RECORD,,\n"
    path = folder / f"{module}-{version}{f'-{number}' if number else ''}-py3-none-any.whl"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for member, text in contents.items():
            archive.writestr(zipfile.ZipInfo(member, _LONG_AGO), text)
    return path


def build_sdist(folder: Path, name: str, version: str, *, inside: str = "") -> Path:
    """Write NAME-VERSION.tar.gz and return its path; `inside` is the version that PKG-INFO states instead."""
    module = name.replace("-", "_")
    top = f"{module}-{version}"
    project = '[build-system]\nrequires = ["setuptools"]\nbuild-backend = "setuptools.build_meta"\n\n'
    project += f'[project]\nname = "{name}"\nversion = "{version}"\n'
    contents = {
        "PKG-INFO": _metadata(name, inside or version),
        "pyproject.toml": project,
        f"{module}.py": f'__version__ = "{version}"\n',
    }
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for member, text in contents.items():
            entry = tarfile.TarInfo(f"{top}/{member}")
            entry.size = len(text.encode())
            archive.addfile(entry, io.BytesIO(text.encode()))
    path = folder / f"{top}.tar.gz"
    path.write_bytes(gzip.compress(packed.getvalue(), mtime=0))
    return path


def _metadata(name: str, version: str) -> str:
    return f"Metadata-Version: 2.4\nName: {name}\nVersion: {version}\nSummary: A tiny project, built on the spot\n"


def _record_digest(text: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()
