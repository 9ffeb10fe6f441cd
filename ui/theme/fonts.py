"""Inter, cut to the letters that Portuguese and English need: 850 kB become 76 kB.

`python -m ui.theme.fonts FILE` writes the woff2.  The web process runs just that once, in a process of its own, since
cutting keeps a core busy for a second and a half, and keeps the file in the data folder.
The typeface comes from the package fontpkg-inter (SIL Open Font License).
"""

from __future__ import annotations

import asyncio
import sys
from importlib.metadata import version
from pathlib import Path

from fontTools import subset

ROOT = Path(__file__).parent.parent.parent
# What a change of the cut has to change, so that neither disk nor browser shows an older one.
CUT = 1
VERSION = f"inter-{version('fontpkg-inter')}-{CUT}"
# tnum keeps columns of numbers in line.
FEATURES = ["kern", "mark", "mkmk", "ccmp", "locl", "calt", "case", "tnum", "pnum"]
LETTERS = [
    *range(0x20, 0x7F),
    *range(0xA0, 0x180),  # Latin-1 and Latin Extended-A: names come from everywhere
    *(0x2BB, 0x2BC, 0x2C6, 0x2DA, 0x2DC, 0x20AC, 0x2122, 0x2212, 0x2248, 0x2260, 0x2264, 0x2265, 0xFEFF, 0xFFFD),
    *range(0x2010, 0x2040),  # dashes, quotes, dots
    *range(0x2190, 0x2194),  # arrows
]


class Typeface:
    """The cut typeface, made at most once per installation."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / f"{VERSION}.woff2"
        self._lock = asyncio.Lock()
        self._bytes = b""

    async def woff2(self) -> bytes:
        async with self._lock:
            if not self._bytes:
                if not self._file.exists():
                    await self._cut()
                self._bytes = self._file.read_bytes()
        return self._bytes

    async def _cut(self) -> None:
        self._file.parent.mkdir(parents=True, exist_ok=True)
        command = (sys.executable, "-m", "ui.theme.fonts", str(self._file.resolve()))
        cutter = await asyncio.create_subprocess_exec(*command, cwd=ROOT)
        if await cutter.wait() != 0:
            raise RuntimeError("the typeface could not be cut")


def cut(target: Path) -> None:
    """Writes the woff2; a half-written file is never seen under its name."""
    options = subset.Options(flavor="woff2", layout_features=FEATURES)
    font = subset.load_font(str(_source()), options)
    cutter = subset.Subsetter(options)
    cutter.populate(unicodes=LETTERS)
    cutter.subset(font)
    unfinished = target.with_suffix(".part")
    subset.save_font(font, str(unfinished), options)
    unfinished.replace(target)


def _source() -> Path:
    import fontpkg_inter

    return next((Path(fontpkg_inter.__file__).parent / "files").glob("Inter[[]*.ttf"))


if __name__ == "__main__":
    cut(Path(sys.argv[1]))
