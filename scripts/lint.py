#!/usr/bin/env python3
"""Check what neither rustfmt nor clippy does: long lines, dead links, pages that nobody finds,
files that know each other in a circle.

A link counts as dead if what it names is not in the repository. In the book that includes pages
outside docs/, which are not built. Nothing is fetched: links to other sites are not looked at.
"""

import itertools
import re
import subprocess
import sys
from pathlib import Path
from typing import Iterator, List, NamedTuple, Set

from circles import circles

ROOT = Path(__file__).resolve().parent.parent
LONGEST = 100
# Rust lines that may be longer: tables and pages in tests, which show what is expected as it is.
LONG_RUST_LINES = 25

LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)(?:\s+\"[^\"]*\")?\)|^\[[^\]]+\]:\s+(\S+)", re.MULTILINE)
HEADING = re.compile(r"^#{1,6}\s+(.+?)\s*$", re.MULTILINE)
FENCE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
CODE = re.compile(r"`([^`\n]+)`")
# Paths of the repository in running text; those that begin with data/ or docs/ may be the user's.
PATH = re.compile(r"(?:bench|crates|examples|pipelines|scripts|tests)/[\w./{},-]+")


class Finding(NamedTuple):
    file: Path
    line: int
    text: str


def tracked() -> List[Path]:
    """The files of the repository, those that are not committed yet among them."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, check=True)
    names = done.stdout.decode().split("\0")
    return [ROOT / name for name in names if name and (ROOT / name).is_file()]


def long_lines(path: Path) -> Iterator[Finding]:
    """Lines that are too long, but for those that cannot be broken: Rust with a literal text,
    rows of tables in Markdown (those of the README can), and URLs."""
    rows_may_be_long = path.suffix == ".md" and path != ROOT / "README.md"
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        is_text = path.suffix == ".rs" and '"' in line
        is_row = rows_may_be_long and line.lstrip().startswith("|")
        is_url = re.search(r"https?://\S{60,}", line)
        if len(line) > LONGEST and not (is_text or is_row or is_url):
            yield Finding(path, number, f"{len(line)} characters; {LONGEST} is the most")


def without_fences(text: str) -> str:
    """The text with blocks of code made blank, so that line numbers stay."""
    return FENCE.sub(lambda block: "\n" * block.group(0).count("\n"), text)


def anchors(path: Path) -> Set[str]:
    """The anchors of a page's headings, as mdBook and code hosts make them."""
    headings = HEADING.findall(without_fences(path.read_text(encoding="utf-8")))
    plain = (re.sub(r"[`*]|\[([^\]]*)\]\([^)]*\)", r"\1", heading) for heading in headings)
    return {re.sub(r"[^\w\- ]", "", text.lower()).replace(" ", "-") for text in plain}


def dead_links(path: Path) -> Iterator[Finding]:
    text = without_fences(path.read_text(encoding="utf-8"))
    book = ROOT / "docs"
    for found in LINK.finditer(text):
        link = found.group(1) or found.group(2)
        number = text.count("\n", 0, found.start()) + 1
        if re.match(r"[a-z][a-z0-9+.-]*:", link):
            continue
        name, _, anchor = link.partition("#")
        target = (path.parent / name).resolve() if name else path
        if not target.exists():
            yield Finding(path, number, f"the link {link} leads to nothing")
        elif book in path.parents and book not in target.parents:
            says = "leads out of the book; write the path as code"
            yield Finding(path, number, f"the link {link} {says}")
        elif anchor and anchor not in anchors(target):
            yield Finding(path, number, f"{name or path.name} has no heading #{anchor}")


def alternatives(path: str) -> Iterator[str]:
    """The paths that a path with {a,b} stands for."""
    parts = [part.split(",") for part in re.split(r"[{}]", path)]
    return ("".join(choice) for choice in itertools.product(*parts))


def dead_paths(path: Path) -> Iterator[Finding]:
    text = without_fences(path.read_text(encoding="utf-8"))
    for found in CODE.finditer(text):
        # What is hidden, such as an environment of Python, is made and not kept.
        if not PATH.fullmatch(found.group(1)) or "/." in found.group(1):
            continue
        for name in alternatives(found.group(1)):
            if not (ROOT / name).exists():
                number = text.count("\n", 0, found.start()) + 1
                yield Finding(path, number, f"`{name}` is not in the repository")


def unlisted(files: List[Path]) -> Iterator[Finding]:
    """Pages that the book's summary lacks, and crates that the crates' page lacks."""
    summary = ROOT / "docs/SUMMARY.md"
    links = LINK.findall(summary.read_text(encoding="utf-8"))
    listed = {summary, *((summary.parent / link).resolve() for link, _ in links)}
    pages = (path for path in files if path.suffix == ".md" and summary.parent in path.parents)
    for page in pages:
        if page not in listed:
            yield Finding(page, 1, "is not in docs/SUMMARY.md")
    crates = ROOT / "crates/README.md"
    known = crates.read_text(encoding="utf-8")
    for manifest in sorted(ROOT.glob("crates/*/Cargo.toml")):
        if f"| `{manifest.parent.name}` |" not in known:
            yield Finding(crates, 1, f"has no line for the crate {manifest.parent.name}")


def in_circles() -> Iterator[Finding]:
    """Files of a crate that know each other in a circle."""
    for source in sorted(ROOT.glob("crates/*/src")):
        found = circles(source)
        if found:
            yield Finding(source, 1, f"know each other in a circle: {', '.join(found)}")


def is_page(path: Path) -> bool:
    """Whether a file is Markdown that people read as a page; that of benchmarks lies with them."""
    return path.suffix == ".md" and path.relative_to(ROOT).parts[0] not in ("bench", "data")


def check() -> List[Finding]:
    files = tracked()
    findings: List[Finding] = []
    # The pages of options are written by a program.
    written = set(ROOT.glob("docs/reference/pairmill-*.md"))
    for page in (path for path in files if is_page(path) and path not in written):
        findings += long_lines(page)
    for page in (path for path in files if path.suffix == ".md" and "data" not in path.parts):
        findings += dead_links(page)
        findings += dead_paths(page)
    findings += unlisted(files)
    findings += in_circles()
    return findings


def main() -> int:
    findings = check()
    rust = [line for path in tracked() if path.suffix == ".rs" for line in long_lines(path)]
    for file, line, text in findings + (rust if "--rust" in sys.argv[1:] else []):
        print(f"{file.relative_to(ROOT)}:{line}: {text}", file=sys.stderr)
    is_worse = len(rust) > LONG_RUST_LINES
    if is_worse:
        text = f"{len(rust)} lines of Rust are too long, {LONG_RUST_LINES} of them known"
        print(f"lint: {text}; `scripts/lint.py --rust` lists them", file=sys.stderr)
    return 1 if findings or is_worse else 0


if __name__ == "__main__":
    sys.exit(main())
