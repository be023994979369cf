#!/usr/bin/env python3
"""Writes wordnet/, a dictionary of a few words in WordNet's format (wndb(5WN), cntlist(5WN)).

The words, their senses and how often each is met were written for the tests; nothing is from WordNet.
"""

from pathlib import Path

FOLDER = Path(__file__).resolve().parent / "wordnet"
KINDS = {"noun": ("n", 1), "verb": ("v", 2), "adj": ("a", 3), "adv": ("r", 4)}
LICENCE = "  1 Written for Pairmill's tests, under the same terms as Pairmill.\n"
# Part of speech, the words of a set with how often each was met in this sense, and what it means.
SETS = [
    ("noun", [("parcel", 7), ("package", 9)], "what is sent to somebody"),
    ("noun", [("package", 2), ("bundle", 6)], "things that belong together"),
    ("noun", [("mistake", 12), ("error", 15), ("fault", 4)], "what is wrong"),
    ("noun", [("question", 20), ("query", 5)], "what is asked"),
    ("noun", [("answer", 18), ("reply", 8), ("response", 9)], "what is said to a question"),
    ("noun", [("trip", 9), ("journey", 6)], "a way from one place to another"),
    ("noun", [("picture", 11), ("image", 9)], "what shows something"),
    ("noun", [("help", 14), ("assistance", 6), ("aid", 5)], "what makes something easier"),
    ("noun", [("issue", 8), ("problem", 16)], "what has to be dealt with"),
    ("noun", [("child", 30), ("kid", 12)], "a young person"),
    ("noun", [("post", 9), ("mail", 8)], "letters and parcels"),
    ("noun", [("Dovecote", 1), ("dove_house", 1)], "a house for doves"),
    ("verb", [("send", 25), ("mail", 4), ("post", 6)], "let somebody have by post"),
    ("verb", [("buy", 21), ("purchase", 7)], "get for money"),
    ("verb", [("show", 19), ("display", 6)], "let be seen"),
    ("verb", [("begin", 17), ("start", 19)], "do the first part"),
    ("verb", [("stop", 15), ("halt", 5)], "do no more"),
    ("verb", [("fix", 7), ("repair", 8), ("mend", 3)], "make whole again"),
    ("verb", [("answer", 9), ("reply", 8), ("respond", 6)], "say to a question"),
    ("verb", [("help", 22), ("assist", 7), ("aid", 4)], "make easier for somebody"),
    ("verb", [("trip", 2), ("stumble", 4)], "fall over something"),
    ("verb", [("lose", 14), ("mislay", 2)], "not find any more"),
    ("adj", [("large", 18), ("big", 20)], "of more than the usual size"),
    ("adj", [("wrong", 12), ("incorrect", 5)], "not right"),
    ("adj", [("lost", 6), ("missing", 7)], "not to be found"),
    ("adj", [("asleep(p)", 3), ("sleeping", 3)], "not awake"),
    ("adv", [("quickly", 9), ("rapidly", 6)], "in a short time"),
    ("adv", [("again", 14), ("anew", 2)], "once more"),
]
EXCEPTIONS = {"noun": [("children", "child")], "verb": [("began", "begin"), ("begun", "begin"), ("bought", "buy")]}


def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    counts = []
    for ending, (letter, number) in KINDS.items():
        data = LICENCE
        senses = {}
        for pos, words, gloss in SETS:
            if pos == ending:
                offset = f"{len(data):08}"
                listed = " ".join(f"{word} 0" for word, _ in words)
                frames = " 00" if pos == "verb" else ""
                data += f"{offset} 00 {letter} {len(words):02x} {listed} 000{frames} | {gloss}  \n"
                for word, uses in words:
                    word = word.split("(")[0].lower()
                    senses.setdefault(word, []).append((-uses, offset))
        (FOLDER / f"data.{ending}").write_text(data)
        index = LICENCE
        for word, found in sorted(senses.items()):
            found.sort()
            offsets = " ".join(offset for _, offset in found)
            index += f"{word} {letter} {len(found)} 0 {len(found)} {len(found)} {offsets}  \n"
            for at, (uses, _) in enumerate(found, 1):
                counts.append(f"{word}%{number}:00:{at:02}:: {at} {-uses}\n")
        (FOLDER / f"index.{ending}").write_text(index)
        exceptions = "".join(f"{form} {word}\n" for form, word in EXCEPTIONS.get(ending, []))
        (FOLDER / f"{ending}.exc").write_text(exceptions)
    (FOLDER / "cntlist.rev").write_text("".join(sorted(counts)))


main()
