"""BM25 with exact lengths of the documents, scored by bm25s and judged by trec_eval.

    pip install -r tests/reference/requirements.txt
    python tests/reference/bm25.py "$PAIRMILL_DATA"

Made with Python 3.11, bm25s 0.3.16, PyStemmer 3.1.0, regex 2026.11.15, pytrec-eval-terrier 0.5.11.

Terms are those of pairmill-lexical's English analysis: of the text in NFC, with presentation forms (ligatures, widths, shapes
of Arabic letters) as the letters they show, maximal runs of Unicode letters and digits (Rust's `char::is_alphanumeric`) with
their combining marks, at most 40 letters, or in scripts without blanks overlapping pairs of grapheme clusters; lower-cased
character by character, without vowel points and what is not shown, without Lucene's 33 stop words, stemmed by Snowball's
`english`. Title and text are joined by a blank. The score of a document d for a query is

    Σ ln(1 + (N − df + 0.5) / (df + 0.5)) · tf / (tf + k1 · (1 − b + b · |d| / avg|d|))

over the query's terms, a repeated one each time, with N all documents, empty ones included. This is bm25s' method
"lucene", in float64; Lucene before version 8, and pairmill-lexical, have the constant factor k1 + 1 besides. Every
score that is written is computed a second time by the formula from the terms (`by_formula`) and must be the same to
1e-9. A document without a term of the query is no hit, and equal scores go by ascending id. Means are over the queries
that have a judgement; nDCG@10 has linear gain.

`sets` has the figures of each set at each setting, its number of documents, tokens and different terms, and the ten
best documents of the first five queries in the order of the file. `multifield` adds the scores of title and text, each
field with statistics of its own. `porter` has the figures with the original Porter stemmer, which leaves nothing of the
word "s". `repeated_term` has the ten best of scifact for a query in words, without and with a word twice, at the first
setting. `analysis` has the terms of some invented texts.
"""

import argparse
import math
import unicodedata
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import bm25s
import numpy as np
import pyarrow.parquet as parquet
import pytrec_eval
import regex
import Stemmer

from reference import rounded, versions, write

SPLITS = {"scifact": "test", "cranfield": "test", "vaswani": "test", "msdocs_raw": "silver"}
SETTINGS = [(0.9, 0.4), (1.2, 0.75)]
QUERIES, LISTED, TOP, DEPTH = 300, 5, 10, 100
UNSPACED = "".join(
    rf"\p{{{script}}}"
    for script in "Han Bopomofo Hiragana Katakana Thai Lao Khmer Myanmar Tai_Le New_Tai_Lue Tai_Tham Tai_Viet".split()
)
UNSPACED = f"[{UNSPACED}ー]"
LETTER = r"[\p{Alphabetic}\p{N}]"
HIDDEN = "\u00ad\u200c\u200d\u2060"
MARK = rf"[[\p{{M}}--[\u20d0-\u20ff\ufe00-\ufe0f]]{HIDDEN}]"
RUN, PLAIN = rf"[{LETTER}&&{UNSPACED}]", rf"[{LETTER}--{UNSPACED}]"
WORD = regex.compile(rf"(?P<run>{RUN}(?:{RUN}|{MARK})*)|{PLAIN}(?:{PLAIN}|{MARK})*", regex.V1)
PRESENTATION = regex.compile(r"[\ufb00-\ufdff\ufe70-\ufeff\uff00-\uffef]")
LEFT_OUT = regex.compile(
    rf"[{HIDDEN}\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7\u0640\u064b-\u065f\u0670\u06d6-\u06dc\u06df-\u06e4"
    r"\u06e7\u06e8\u06ea-\u06ed]"
)
LOWER = {"İ": "i", "ı": "i", "ß": "ss", "ẞ": "ss", "ς": "σ"}
MAX_LETTERS = 40
STOP_WORDS = set(
    "a an and are as at be but by for if in into is it no not of on or such that the their then there these they this "
    "to was will with".split()
)
TEXTS = [
    "The printers were NOT printing, e-mail ID 42!",
    "It is the, of a … ?!",
    "naïve café’s CRÈME brûlée; user_name foo.bar x=1,000.50",
    "ΣΊΣΥΦΟΣ and İstanbul, STRAẞE, ǅ, ﬁne",
    "H₂O at 10² ½ Ⅷ Ⓐ ٣ 東京タワー हिन्दी ไทย 한국어 🙂 e\u0301tude",
    f"{'x' * 40} {'y' * 41} {'é' * 40} {'è' * 40}a",
    "பள்ளி திறக்கும் গ্রন্থাগার 重置密码。水 WiFi密码5 ﾊﾟｽﾜｰﾄﾞ ที่นี่ดี كِتَابٌ in\u00adfor mi\u200ckh 1\ufe0f\u20e3 IŞIK",
    "university universities universal universe added adding geologist geology emergency emerge evening evenings "
    "lateral later past paste skis dying news proceed inning outing generously communism arsenal organ organization",
    "hopping hoped ties cries flies agreed owed bleed skies only gently ugly early idly singly herring canning exceed "
    "succeed sky dye says 'tis o'clock relational conditional rational vietnamization triplicate formative electrical",
]  # fmt: skip
REPEATED = ["protein kinase inhibitors", "protein kinase inhibitors protein"]


def words(text: str) -> Iterator[str]:
    if not text.isascii():
        plain = PRESENTATION.sub(lambda found: unicodedata.normalize("NFKC", found[0]), text)
        text = unicodedata.normalize("NFC", plain)
    for found in WORD.finditer(text):
        letters = regex.findall(r"\X", found[0]) if found["run"] else []
        if len(letters) < 2:
            yield found[0]
        else:
            yield from map("".join, zip(letters, letters[1:]))


class Analyser:
    def __init__(self, stemmer: str = "english"):
        self.stem = Stemmer.Stemmer(stemmer).stemWord
        self.stems = {}

    def terms(self, text: str) -> list[str]:
        found = (self.term(word) for word in words(text))
        return [term for term in found if term]

    def term(self, word: str) -> str:
        """Nothing for a word that is left out."""
        if word not in self.stems:
            lower = "".join(LOWER.get(character) or character.lower() for character in LEFT_OUT.sub("", word))
            left_out = len(word) > MAX_LETTERS or lower in STOP_WORDS
            self.stems[word] = "" if left_out else self.stem(lower)
        return self.stems[word]


class Field:
    """Texts as numbers of terms."""

    def __init__(self, analyser: Analyser, texts: list[str]):
        self.analyser, self.vocabulary = analyser, {}
        number = self.vocabulary.setdefault
        self.documents = [[number(term, len(self.vocabulary)) for term in analyser.terms(text)] for text in texts]
        self.tokens = sum(map(len, self.documents))
        self.frequency = Counter(term for document in self.documents for term in set(document))

    def index(self, k1: float, b: float) -> "Index":
        return Index(self, k1, b)

    def query(self, text: str) -> list[int]:
        return [self.vocabulary[term] for term in self.analyser.terms(text) if term in self.vocabulary]


class Index:
    def __init__(self, field: Field, k1: float, b: float):
        self.field, self.k1, self.b = field, k1, b
        self.bm25 = bm25s.BM25(k1=k1, b=b, method="lucene", dtype="float64")
        self.bm25.index((field.documents, dict(field.vocabulary)), show_progress=False)

    def scores(self, query: str) -> np.ndarray:
        terms = self.field.query(query)
        return self.bm25.get_scores_from_ids(terms) if terms else np.zeros(len(self.field.documents))

    def by_formula(self, query: str, row: int) -> float:
        field, counts = self.field, Counter(self.field.documents[row])
        norm = self.k1 * (1 - self.b + self.b * len(field.documents[row]) * len(field.documents) / field.tokens)
        return sum(
            math.log(1 + (len(field.documents) - field.frequency[term] + 0.5) / (field.frequency[term] + 0.5))
            * counts[term] / (counts[term] + norm)
            for term in field.query(query)
        )  # fmt: skip


def columns(path: Path) -> dict[str, list]:
    return parquet.read_table(path).to_pydict()


class Collection:
    def __init__(self, folder: Path, split: str):
        corpus = columns(folder / "corpus.parquet")
        self.ids, self.titles, self.bodies = np.array(corpus["id"], dtype=object), corpus["title"], corpus["text"]
        self.texts = [f"{title} {text}" for title, text in zip(self.titles, self.bodies)]
        queries = columns(folder / f"queries_{split}.parquet")
        self.queries = dict(list(zip(queries["id"], queries["text"]))[:QUERIES])
        self.qrels = {}
        for query, document, grade in zip(*columns(folder / f"qrels_{split}.parquet").values()):
            if query in self.queries:
                self.qrels.setdefault(query, {})[document] = grade

    def best(self, indexes: list[Index], query: str, depth: int) -> list[tuple[str, float]]:
        """The best documents by the sum of the indexes' scores."""
        scores = sum(index.scores(query) for index in indexes)
        found = np.flatnonzero(scores > 0)
        if len(found) > depth:
            found = found[scores[found] >= np.partition(scores[found], -depth)[-depth]]
        rows = sorted(found.tolist(), key=lambda row: (-scores[row], self.ids[row]))[:depth]
        for row in rows[:TOP]:
            assert abs(scores[row] - sum(index.by_formula(query, row) for index in indexes)) < 1e-9
        return [(self.ids[row], float(scores[row])) for row in rows]

    def figures(self, indexes: list[Index], listed: int = LISTED) -> dict:
        run, lists = {}, {}
        for query, text in self.queries.items():
            hits = self.best(indexes, text, DEPTH)
            run[query] = {document: float(DEPTH - rank) for rank, (document, _) in enumerate(hits)}
            if len(lists) < listed:
                lists[query] = [list(hit) for hit in hits[:TOP]]
        measured = pytrec_eval.RelevanceEvaluator(self.qrels, {"ndcg_cut_10", "recall_100"}).evaluate(run)
        mean = {
            name: math.fsum(measured.get(query, {}).get(name, 0.0) for query in self.qrels) / len(self.qrels)
            for name in ("ndcg_cut_10", "recall_100")
        }
        return {"k1": indexes[0].k1, "b": indexes[0].b, "queries": len(self.qrels)} | mean | {"top": lists}


def counted(field: Field) -> dict:
    return {"documents": len(field.documents), "tokens": field.tokens, "terms": len(field.vocabulary)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, help="folder of the real data sets")
    args = parser.parse_args()

    english, porter = Analyser(), Analyser("porter")
    sets, of_porter = {}, {}
    for name, split in SPLITS.items():
        collection = Collection(args.data / name, split)
        joined = Field(english, collection.texts)
        repeating = sum(len(terms) > len(set(terms)) for terms in map(english.terms, collection.queries.values()))
        sets[name] = counted(joined) | {"queries_that_repeat_a_term": repeating, "settings": []}
        for k1, b in SETTINGS:
            index = joined.index(k1, b)
            sets[name]["settings"].append(collection.figures([index]))
            if name == "scifact" and (k1, b) == SETTINGS[0]:
                repeated = [[query, [list(hit) for hit in collection.best([index], query, TOP)]] for query in REPEATED]
        if name == "scifact":
            fields = [Field(english, texts) for texts in (collection.titles, collection.bodies)]
            multifield = {"title": counted(fields[0]), "text": counted(fields[1])}
            multifield |= collection.figures([field.index(*SETTINGS[0]) for field in fields])
        joined = Field(porter, collection.texts)
        of_porter[name] = counted(joined) | collection.figures([joined.index(*SETTINGS[0])], listed=0)
        del of_porter[name]["top"]
    write(
        "bm25.json",
        {
            "versions": versions("bm25s", "PyStemmer", "regex", "pytrec-eval-terrier"),
            "sets": rounded(sets),
            "multifield": rounded({"scifact": multifield}),
            "porter": rounded(of_porter),
            "repeated_term": rounded(repeated),
            "analysis": [[text, english.terms(text)] for text in TEXTS],
        },
    )


if __name__ == "__main__":
    main()
