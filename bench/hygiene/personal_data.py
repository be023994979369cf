#!/usr/bin/env python3
"""Personal data of six kinds in 500 made rows: precision and recall, beside Presidio's patterns.

    make build
    python3 bench/hygiene/personal_data.py [--skip-presidio] [--rows FILE]

Half of the rows hold one piece of personal data in a sentence of support mail, the others hold
something that looks like one: versions, order numbers, dates, names of files.
"""

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
from datetime import datetime, timezone
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
BINARY = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")) / "release/pairmill-generate"
KINDS = ["email", "phone", "card", "iban", "ip_address", "secret"]
FRAMES = [
    "Hello, {} is what I have, please help.", "My details: {}.", "I tried {} twice and it failed", "{}",
    "Please update it to {} in my account, thanks", "Kunde sagt: {} - bitte prüfen", "It says ({}) on the screen",
    "mon dossier contient {} depuis hier", "El cliente dejó {} en el formulario", "see \"{}\" below",
]
NAMES = "anna ben carla dieter eva faruk grace henrik ines jonas".split()
HOSTS = ["example.org", "mail.example.com", "uni-example.edu", "example.co.uk", "example.net"]


def luhn(head: str) -> str:
    digits = [int(digit) for digit in head]
    total = sum(digit if place % 2 else (2 * digit - 9 if digit > 4 else 2 * digit) for place, digit in enumerate(reversed(digits)))
    return head + str(-total % 10)


def iban(country: str, account: str) -> str:
    number = "".join(str(int(letter, 36)) for letter in account + country + "00")
    return f"{country}{98 - int(number) % 97:02}{account}"


def grouped(text: str, size: int, mark: str) -> str:
    return mark.join(text[at:at + size] for at in range(0, len(text), size))


def true_value(kind: str, draw: random.Random) -> str:
    digits = lambda count: "".join(draw.choice("0123456789") for _ in range(count))
    letters = lambda count: "".join(draw.choice("ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz0123456789") for _ in range(count))
    first = lambda: draw.choice("23456789")
    if kind == "email":
        name = draw.choice(NAMES)
        return draw.choice([f"{name}@", f"{name}.{draw.choice(NAMES)}@", f"{name}+shop{digits(2)}@", f"{name}_{digits(3)}@"]) + draw.choice(HOSTS)
    if kind == "phone":
        return draw.choice([
            f"+49 30 {first()}{digits(6)}", f"+1 ({first()}12) 555-{digits(4)}", f"{first()}12-555-{digits(4)}", f"({first()}03) 555-{digits(4)}",
            f"+44 20 7946 0{digits(3)}", f"+33 1 {digits(2)} {digits(2)} {digits(2)} {digits(2)}", f"+34 612 {digits(3)} {digits(3)}",
            f"01 {first()}{digits(1)} {digits(2)} {digits(2)} {digits(2)}", f"0171 {first()}{digits(6)}", f"phone: {first()}{digits(6)}",
        ])
    if kind == "card":
        head = draw.choice(["4" + digits(14), "5" + draw.choice("12345") + digits(13), "37" + digits(12), "6011" + digits(11)])
        number = luhn(head)
        return draw.choice([number, grouped(number, 4, " "), grouped(number, 4, "-")])
    if kind == "iban":
        country, length = draw.choice([("DE", 18), ("ES", 20), ("BE", 12), ("AT", 16), ("GB", 0), ("NL", 0)])
        account = digits(length) if length else draw.choice(["NWBK", "ABNA"]) + digits(14 if country == "GB" else 10)
        return draw.choice([str, lambda text: grouped(text, 4, " ")])(iban(country, account))
    if kind == "ip_address":
        part = lambda: str(draw.randint(33, 254))
        return draw.choice([
            f"{part()}.{part()}.{draw.randint(1, 254)}.{part()}", f"192.168.{draw.randint(0, 254)}.{draw.randint(1, 254)}", f"IP 10.0.{digits(1)}.{draw.randint(1, 9)}",
            f"2001:db8:{draw.randrange(4096, 65536):x}::{draw.randrange(4096, 65536):x}:{draw.randrange(4096, 65536):x}",
            f"fe80::{draw.randrange(4096, 65536):x}:{draw.randrange(4096, 65536):x}:{draw.randrange(4096, 65536):x}:{draw.randrange(4096, 65536):x}",
        ])
    return draw.choice([
        "AKIA" + letters(16).upper(), "ghp_" + letters(36), "api_key=" + letters(32), "eyJ" + letters(20) + ".eyJ" + letters(30) + "." + letters(30),
        "token: " + letters(40), "password: " + letters(6) + digits(2),
    ])


def false_value(draw: random.Random) -> str:
    number = lambda low, high: draw.randint(low, high)
    digits = lambda count: "".join(draw.choice("0123456789") for _ in range(count))
    return draw.choice([
        lambda: f"version {number(1, 20)}.{number(0, 20)}.{number(0, 30)}.{number(0, 30)}", lambda: f"v{number(1, 9)}.{number(0, 30)}.{number(0, 300)}",
        lambda: f"order {digits(10)}", lambda: f"ticket #{digits(8)}", lambda: f"{number(1, 28):02}.{number(1, 12):02}.20{number(10, 24)}",
        lambda: f"20{number(10, 24)}-{number(1, 12):02}-{number(1, 28):02} {number(0, 23):02}:{number(0, 59):02}:{number(0, 59):02}",
        lambda: f"tracking number {digits(20)}", lambda: f"invoice 20{number(10, 24)}-{digits(6)}", lambda: f"{number(1, 999)},{digits(3)},{digits(3)} rows",
        lambda: "how to reset the password of my account", lambda: "the API key is missing", lambda: f"@{draw.choice(NAMES)} said so",
        lambda: f"std::{draw.choice(NAMES)}::new", lambda: f"error 0x{digits(8)}", lambda: f"card ending in {digits(4)}", lambda: f"{number(1, 9)}.{digits(8)} metres",
        lambda: f"ISBN 978-3-16-{digits(6)}-{digits(1)}", lambda: f"left-pad@{number(1, 9)}.{number(0, 9)}.{number(0, 9)}", lambda: "token: <your token>",
        lambda: f"Windows 10.0.{number(10, 99)}.{number(10, 99)}", lambda: f"{number(10, 23)}:{number(10, 59)}:{number(10, 59)}", lambda: f"article {digits(13)}",
        lambda: f"room {number(1, 9)}-{number(100, 999)}-{number(10, 99)}", lambda: f"key=value_of_the_{draw.choice(NAMES)}",
    ])()


def rows(seed: int) -> list[dict]:
    """500 rows: 42 of each kind, the others with none."""
    draw = random.Random(seed)
    made = [{"kind": kind, "value": true_value(kind, draw)} for kind in KINDS for _ in range(42)]
    made += [{"kind": "none", "value": false_value(draw)} for _ in range(500 - len(made))]
    draw.shuffle(made)
    return [row | {"id": str(number), "text": draw.choice(FRAMES).format(row["value"])} for number, row in enumerate(made)]


def pairmill(table: list[dict], folder: Path) -> dict[str, set]:
    file = folder / "rows.jsonl"
    file.write_text("".join(json.dumps({"id": row["id"], "text": row["text"]}) + "\n" for row in table))
    line = [BINARY, "check", "--kind", "queries", "--input", file, "--output", folder / "out", "--only", ",".join(KINDS), "--table-format", "jsonl"]
    subprocess.run([str(part) for part in line], check=True, stderr=subprocess.DEVNULL)
    found: dict[str, set] = {kind: set() for kind in KINDS}
    for finding in map(json.loads, (folder / "out/findings.jsonl").read_text().splitlines()):
        found[finding["kind"]].add(finding["id"])
    return found


def presidio(table: list[dict]) -> dict[str, set]:
    """Its pattern recognisers, each alone, at the scores that they give."""
    import tldextract.tldextract

    # Its own copy of the list of domains, so that nothing is fetched.
    tldextract.tldextract.TLD_EXTRACTOR = tldextract.TLDExtract(suffix_list_urls=())
    from presidio_analyzer.predefined_recognizers import CreditCardRecognizer, EmailRecognizer, IbanRecognizer, IpRecognizer, PhoneRecognizer

    recognisers = {
        "email": EmailRecognizer(), "card": CreditCardRecognizer(), "iban": IbanRecognizer(), "ip_address": IpRecognizer(),
        "phone": PhoneRecognizer(supported_regions=("US", "GB", "DE", "FR", "ES")),
    }
    found: dict[str, set] = {kind: set() for kind in KINDS}
    for kind, recogniser in recognisers.items():
        for row in table:
            if recogniser.analyze(row["text"], recogniser.supported_entities, None):
                found[kind].add(row["id"])
    return found


def figures(table: list[dict], found: dict[str, set]) -> dict:
    """Precision and recall of each kind, row by row."""
    result = {}
    for kind in KINDS:
        true = {row["id"] for row in table if row["kind"] == kind}
        hits = len(true & found[kind])
        result[kind] = {
            "precision": round(hits / len(found[kind]), 4) if found[kind] else None, "recall": round(hits / len(true), 4),
            "missed": [row["text"] for row in table if row["id"] in true - found[kind]][:5],
            "wrong": [row["text"] for row in table if row["id"] in found[kind] - true][:5],
        }
    return result


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=42)
    parser.add_argument("--skip-presidio", action="store_true")
    parser.add_argument("--rows", type=Path, help="write the rows to this file and end")
    args = parser.parse_args()
    table = rows(args.seed)
    if args.rows:
        args.rows.write_text("".join(json.dumps(row) + "\n" for row in table))
        return
    with tempfile.TemporaryDirectory() as folder:
        result = {"rows": len(table), "seed": args.seed, "pairmill": figures(table, pairmill(table, Path(folder)))}
    if not args.skip_presidio:
        result["presidio"] = figures(table, presidio(table))
    for name in ("pairmill", "presidio"):
        for kind, of in result.get(name, {}).items():
            print(f"{name:9} {kind:10} precision {of['precision']} recall {of['recall']} missed {of['missed'][:2]} wrong {of['wrong'][:2]}")
    commit = subprocess.run(["git", "-C", ROOT, "rev-parse", "HEAD"], stdout=subprocess.PIPE, text=True).stdout.strip()
    file = HERE / "results" / f"{datetime.now(timezone.utc):%Y-%m-%d-%H%M%S}-personal-data.json"
    file.parent.mkdir(exist_ok=True)
    file.write_text(json.dumps(result | {"commit": commit}, indent=1, ensure_ascii=False) + "\n")
    print("raw results:", file.relative_to(ROOT))


if __name__ == "__main__":
    sys.exit(main())
