"""Reads the sources of ui/ for the tests that keep its rules."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
UI = ROOT / "ui"
IN_TEMPLATE = re.compile(r"""\b_\(\s*(?:"((?:[^"\\]|\\.)*)"|'((?:[^'\\]|\\.)*)')\s*\)""")


def sources() -> list[Path]:
    return sorted(UI.rglob("*.py"))


def calls(path: Path) -> Iterator[ast.Call]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call):
            yield node


def name_of(call: ast.Call) -> str:
    """`ui.label`, `_`, `self.x`: the callee as written."""
    return ast.unparse(call.func)


def place(path: Path, node: ast.AST) -> str:
    return f"{path.relative_to(ROOT)}:{getattr(node, 'lineno', 0)}"


def said() -> dict[str | tuple[str, str], str]:
    """Every sentence that ui/ says, with a place where it does: one text, or (one, many).

    What stands under a context begins with it, as in a compiled catalogue.
    """
    found: dict[str | tuple[str, str], str] = {}
    for path in sources():
        for call in calls(path):
            texts = [a.value for a in call.args if isinstance(a, ast.Constant) and isinstance(a.value, str)]
            if name_of(call) in ("_", "N_") and texts:
                found.setdefault(texts[0], place(path, call))
            elif name_of(call) == "of_many" and texts:
                found.setdefault(f"many\x04{texts[0]}", place(path, call))
            elif name_of(call) == "ngettext" and len(texts) >= 2:
                found.setdefault((texts[0], texts[1]), place(path, call))
    for path in sorted(UI.rglob("*.html")):
        for match in IN_TEMPLATE.finditer(path.read_text(encoding="utf-8")):
            found.setdefault(match.group(1) or match.group(2), str(path.relative_to(ROOT)))
    return found
