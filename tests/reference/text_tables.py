"""CSV, TSV and JSON Lines files as people write them, with the rows that Python's csv and json read from
them. Writes one JSON object a line: the file's name, its bytes in hexadecimal and its rows.

    python text_tables.py --csv 60 --json 40 --seed 1 > text_tables.jsonl

`crates/tables/tests/text_tables.rs` reads each file and compares the rows; the slow check makes 2,000 and
1,000 of another seed.
"""

import argparse
import csv
import io
import json
import random
import sys

WORDS = (
    "the pump monitor cable order invoice why how does not start again printer reset password "
    "naïve café élève Größe Straße über señor façade déjà"
).split()
OTHER_SCRIPTS = "Москва приложение 重置密码 パスワード நாளை पानी 😀 ﬁt".split()
MARKS = ['24"', '"quoted"', "it's", "a,b", "a;b", "x|y", "half\\way", "(n/a)", "#1", "5%", "=1+1", "-"]
COLUMNS = ["id", "question", "answer"]
EXTRA = ["Created", "notes", "tags", "url"]


def text(rng, latin, breaks, plain):
    words = [rng.choice(WORDS) for _ in range(rng.randint(1, 12))]
    if not latin and rng.random() < 0.3:
        words.insert(rng.randint(0, len(words)), rng.choice(OTHER_SCRIPTS))
    if not plain and rng.random() < 0.4:
        words.insert(rng.randint(0, len(words)), rng.choice(MARKS))
    joined = " ".join(words)
    if breaks and rng.random() < 0.2:
        joined = joined.replace(" ", rng.choice(["\n", "\n\n", "\r\n"]), 1)
    return joined


def rows(rng, latin, breaks, plain=False):
    number = rng.randint(1, 12)
    ids = rng.choice([lambda n: str(n), lambda n: f"K-{n:03}", lambda n: f"{n:05}"])
    return [
        [ids(n), text(rng, latin, breaks, plain), text(rng, latin, breaks, plain)]
        for n in range(number)
    ]


def encoded(rng, written, latin):
    choices = ["utf-8", "utf-8", "utf-8", "utf-8-sig", "utf-16"]
    if latin:
        choices += ["cp1252"]
    encoding = rng.choice(choices)
    return written.encode(encoding), encoding


def csv_file(rng):
    """One file with a dialect that a program writes, and what csv.reader makes of it."""
    kind = rng.choice(["csv", "csv", "csv", "tsv", "plain tsv", "escaped"])
    latin = rng.random() < 0.5
    delimiter = "\t" if "tsv" in kind else rng.choice([",", ",", ";", "|", "\t"])
    dialect = {"delimiter": delimiter, "lineterminator": rng.choice(["\n", "\n", "\r\n", "\r"])}
    plain = kind == "plain tsv"
    # csv.writer does not quote a line feed where lines end otherwise.
    data = rows(rng, latin, breaks=not plain and dialect["lineterminator"] != "\r")
    if plain:
        # The benchmarks' files: no quoting at all, whatever marks there are.
        data = [[cell.replace("\t", " ") for cell in row] for row in data]
        starts = [row for row in data if rng.random() < 0.2]
        for row in starts:
            row[rng.randint(1, 2)] = rng.choice(['"Stop!" he said.', '"never ends', '"all of it"x'])
    elif kind == "escaped":
        dialect.update(quoting=csv.QUOTE_ALL, doublequote=False, escapechar="\\")
        # Without an escaped mark nothing tells this dialect from the usual one.
        data[0][1] += ' "so"'
    else:
        dialect.update(quoting=rng.choice([csv.QUOTE_MINIMAL, csv.QUOTE_MINIMAL, csv.QUOTE_ALL]))
    order = COLUMNS + rng.sample(EXTRA, rng.randint(0, 2))
    rng.shuffle(order)
    table = [order]
    for row in data:
        cells = dict(zip(COLUMNS, row))
        table.append([cells.get(name, rng.choice(["", "x", "2024-01-01"])) for name in order])
    out = io.StringIO()
    if plain:
        for line in table:
            out.write(delimiter.join(line) + dialect["lineterminator"])
        reading = {"delimiter": delimiter, "quoting": csv.QUOTE_NONE}
    else:
        csv.writer(out, **dialect).writerows(table)
        reading = {name: value for name, value in dialect.items() if name != "lineterminator"}
    written = out.getvalue()
    if rng.random() < 0.1:
        written = written.rstrip("\r\n")
    content, encoding = encoded(rng, written, latin)
    decoded = content.decode("cp1252" if encoding == "cp1252" else encoding)
    read = list(csv.reader(io.StringIO(decoded, newline=""), **reading))
    header, *body = [row for row in read if row]
    at = [header.index(name) for name in COLUMNS]
    ending = "tsv" if "tsv" in kind else rng.choice(["csv", "csv", "tsv"] if delimiter == "\t" else ["csv"])
    return {
        "name": f"table.{ending}",
        "made": f"{kind}, {delimiter!r}, {encoding}, {dialect['lineterminator']!r}",
        "content": content,
        "rows": [[row[column] for column in at] for row in body],
    }


def json_value(rng):
    return rng.choice([None, 7, 1.5, True, "x", [1, [2]], {"a": {"b": ["]", "}"]}}, "\"\\"])


def json_file(rng):
    """One file of JSON objects, and what json.loads makes of it."""
    data = rows(rng, latin=False, breaks=True)
    mixed = rng.random() < 0.3
    objects = []
    for row in data:
        cells = dict(zip(COLUMNS, row))
        if mixed and rng.random() < 0.5:
            cells["id"] = rng.randint(0, 10**12)
        for name in rng.sample(EXTRA, rng.randint(0, 2)):
            cells[name] = json_value(rng)
        names = list(cells)
        rng.shuffle(names)
        objects.append({name: cells[name] for name in names})
    ascii_only = rng.random() < 0.5
    form = rng.choice(["lines", "lines", "lines", "array", "indented", "pretty lines"])
    dump = lambda value, **how: json.dumps(value, ensure_ascii=ascii_only, **how)
    if form == "array":
        written = dump(objects)
    elif form == "indented":
        written = dump(objects, indent=2)
    elif form == "pretty lines":
        written = "\n".join(dump(one, indent=1) for one in objects)
    else:
        end = rng.choice(["\n", "\r\n"])
        written = end.join(dump(one) for one in objects)
        if rng.random() < 0.7:
            written += end
        if rng.random() < 0.2:
            written = written.replace(end, end + end, 1)
    content = written.encode(rng.choice(["utf-8", "utf-8", "utf-8", "utf-8-sig", "utf-16"]))
    return {
        "name": rng.choice(["table.jsonl", "table.json", "table.ndjson"]),
        "made": form,
        "content": content,
        "rows": [[str(one[name]) for name in COLUMNS] for one in objects],
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--csv", type=int, default=60)
    parser.add_argument("--json", type=int, default=40)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    rng = random.Random(args.seed)
    for make, number in [(csv_file, args.csv), (json_file, args.json)]:
        for _ in range(number):
            case = make(rng)
            case["content"] = case["content"].hex()
            print(json.dumps(case, ensure_ascii=False))


if __name__ == "__main__":
    sys.exit(main())
