"""Finds files of a crate that know each other in a circle.

A file knows another if it names something of it by `crate::` or `super::`. What the root of a
crate shows under its own name counts for the file where it is defined. A circle means that none
of its files can be read, moved or tested without all the others.
"""

import re
from pathlib import Path
from typing import Dict, List, Set

NAMED = re.compile(r"(pub(?:\([a-z]+\))? )?\b(?:use )?(crate|super)::((?:\w+::)*)(\{[^}]*\}|\w+)")
SHOWN = re.compile(r"pub(?:\(crate\))? use ((?:\w+::)+)(\{[^}]*\}|\w+)")
COMMENT = re.compile(r"//[^\n]*")


def modules(source: Path) -> Dict[str, Path]:
    """The files of a crate by their paths as modules."""
    found = {}
    for file in source.rglob("*.rs"):
        parts = list(file.relative_to(source).with_suffix("").parts)
        if parts[-1] == "mod" or parts in (["lib"], ["main"]):
            parts.pop()
        if parts:
            found["::".join(parts)] = file
    return found


def shown(source: Path) -> Dict[str, str]:
    """The module of each name that the root of a crate shows."""
    root = source / "lib.rs"
    text = root.read_text(encoding="utf-8") if root.exists() else ""
    names = {}
    for path, found in SHOWN.findall(text):
        for name in re.findall(r"\w+", found):
            names[name] = path.rstrip(":")
    return names


def known(module: str, file: Path, files: Dict[str, Path], root: Dict[str, str]) -> Set[str]:
    """The modules that a file knows; its tests may know others."""
    text = file.read_text(encoding="utf-8").split("#[cfg(test)]\nmod")[0]
    found = set()
    for is_shown, start, path, names in NAMED.findall(COMMENT.sub("", text)):
        if is_shown:
            continue
        parts = module.split("::")[:-1] if start == "super" else []
        above = "::".join(parts + [part for part in path.split("::") if part])
        for name in re.findall(r"\w+", names):
            of_name = f"{above}::{name}" if above else name
            candidates = [of_name, above] if above else [name, root.get(name, "")]
            found.update([of for of in candidates if of in files][:1])
    return found - {module}


def circles(source: Path) -> List[str]:
    """The modules of a crate that lie on a circle, or between two."""
    files, root = modules(source), shown(source)
    arrows = {module: known(module, file, files, root) for module, file in files.items()}
    left = set(arrows)
    while True:
        into = {to for module in left for to in arrows[module]}
        ends = {module for module in left if module not in into or not arrows[module] & left}
        if not ends:
            return sorted(left)
        left -= ends
