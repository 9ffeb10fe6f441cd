"""A stranger's text never becomes script: the ways it could are closed outside of ui/parts/safe.py.

Each rule is one of the constructs that ran script with a hostile lead name when they were tried on NiceGUI 3.18.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

import pytest

from tests.ui.reading import UI, name_of, place, sources
from ui.parts.safe import own_path, safe_url

SAFE = UI / "parts" / "safe.py"
# Callee → the argument that has to be a constant: position and name.
CONSTANT_ONLY = {
    "ui.link": (1, "target"),
    "ui.navigate.to": (0, "target"),
    "ui.add_head_html": (0, "code"),
    "ui.add_body_html": (0, "code"),
    "ui.add_css": (0, "content"),
    "ui.run_javascript": (0, "code"),
    "client.run_javascript": (0, "code"),
}
CONSTANT_METHODS = {"props", "add_slot", "run_javascript"}
FORBIDDEN = {"ui.editor", "ui.add_scss", "ui.add_sass"}
FORBIDDEN_WORDS = {"html_columns", "sanitize"}


def findings() -> Iterator[str]:
    for path in sources():
        if path == SAFE:
            continue
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for node in ast.walk(tree):
            for what in [*_of_call(node), *_of_dict(node), *_of_subscript(node)]:
                yield f"{place(path, node)}: {what}"


def _of_call(node: ast.AST) -> Iterator[str]:
    if not isinstance(node, ast.Call):
        return
    name = name_of(node)
    if name in FORBIDDEN:
        yield f"{name} renders what it is given"
    if name in CONSTANT_ONLY:
        place_, word = CONSTANT_ONLY[name]
        if not _is_constant(_argument(node, place_, word)):
            yield f"{name} with a text that is not a constant"
    method = node.func.attr if isinstance(node.func, ast.Attribute) else ""
    if method in CONSTANT_METHODS and not all(_is_constant(a) for a in node.args):
        yield f".{method}() with a text that is not a constant"
    for word in node.keywords:
        if word.arg in FORBIDDEN_WORDS or (word.arg == "html" and name == "ui.notify"):
            yield f"{word.arg}= lets markup through"
    yield from _of_markup(node, method)


def _of_markup(node: ast.Call, method: str) -> Iterator[str]:
    """Constant templates and props may still hand a row's text to a sink."""
    if method not in ("add_slot", "props"):
        return
    for argument in node.args:
        text = argument.value if isinstance(argument, ast.Constant) else ""
        if not isinstance(text, str):
            continue
        if "v-html" in text or "options-html" in text or "innerHTML" in text:
            yield "raw markup from data"
        for link in re.findall(r":(?:href|to|src)=\"([^\"]*)\"", text):
            # a path of ours, or a value that safe_url has passed: by convention its name says so
            if not link.startswith("'/") and "safe_" not in link:
                yield f"a link from data: {link}"


def _of_dict(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Dict):
        for key in node.keys:
            if isinstance(key, ast.Constant) and isinstance(key.value, str) and key.value.startswith(":"):
                yield f"the key {key.value!r} runs its value as script"


def _of_subscript(node: ast.AST) -> Iterator[str]:
    """`element.props[...]`: fixed names only, none that is evaluated."""
    if isinstance(node, ast.Subscript) and isinstance(node.value, ast.Attribute) and node.value.attr == "props":
        if not isinstance(node.slice, ast.Constant):
            yield "props with a name that is not a constant"
        elif str(node.slice.value).startswith(":") or node.slice.value == "innerHTML":
            yield f"props[{node.slice.value!r}] runs or renders its value"


def _argument(call: ast.Call, place_: int, word: str) -> ast.expr | None:
    for keyword in call.keywords:
        if keyword.arg == word:
            return keyword.value
    return call.args[place_] if place_ < len(call.args) else None


def _is_constant(node: ast.expr | None) -> bool:
    """A literal, or a choice between literals."""
    if isinstance(node, ast.IfExp):
        return _is_constant(node.body) and _is_constant(node.orelse)
    return node is None or isinstance(node, ast.Constant)


def test_the_ways_to_run_a_strangers_text_are_closed() -> None:
    assert list(findings()) == []


def test_the_reader_sees_each_of_them() -> None:
    """The rule is worth what it finds: every construct, written once, is found."""
    written = {
        "ui.html(name, sanitize=False)",
        "ui.notify(name, html=True)",
        "table.add_slot('body', '<q-td v-html=\"props.row.name\"/>')",
        "table.add_slot('body', f'<q-td>{name}</q-td>')",
        "table.add_slot('body', '<a :href=\"props.row.site\">x</a>')",
        "button.props(f'label={name}')",
        "ui.link('site', site)",
        "ui.link('site', target=site)",
        "ui.navigate.to(site)",
        "select.props('options-html')",
        "ui.aggrid({}, html_columns=[0])",
        "ui.aggrid({':cellRenderer': code})",
        "element.props[':label'] = name",
        "element.props['innerHTML'] = name",
        "element.props[key] = name",
        "ui.editor(value=name)",
        "ui.add_head_html(f'<b>{name}</b>')",
        "ui.run_javascript(f'alert({name})')",
    }
    missed = {
        line
        for line in written
        if not any([*_of_call(node), *_of_dict(node), *_of_subscript(node)] for node in ast.walk(ast.parse(line)))
    }
    assert missed == set()


@pytest.mark.parametrize(
    "url", ["https://example.com", "http://example.com/a?b=c#d", "https://sub.exemplo.com.br:8443/"]
)
def test_a_plain_address_is_a_link(url: str) -> None:
    assert safe_url(url) == url


@pytest.mark.parametrize(
    "url",
    [
        None,
        "",
        "javascript:alert(1)",
        "JavaScript:alert(1)",
        " javascript:alert(1)",
        "java\nscript:alert(1)",
        "data:text/html,<script>alert(1)</script>",
        "ftp://example.com",
        "//evil.example",
        "/\\evil.example",
        "http:///x",
        "https://user:pw@example.com",
        "http://evil\\@good.example",
        "http://[::1",
        "https://example.com/" + "a" * 2000,
        "example.com",
    ],
)
def test_anything_else_is_shown_as_text(url: str | None) -> None:
    assert safe_url(url) is None


@pytest.mark.parametrize(
    "path", ["//evil.example", "/\\evil.example", "https://evil.example", "javascript:alert(1)", ""]
)
def test_a_page_opens_paths_of_ours_alone(path: str) -> None:
    with pytest.raises(ValueError):
        own_path(path)


def test_a_path_of_ours_stays_as_it_is() -> None:
    assert own_path("/campaigns/7?tab=failed") == "/campaigns/7?tab=failed"
