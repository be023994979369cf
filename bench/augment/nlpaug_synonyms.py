"""Synonyms by nlpaug out of a WordNet folder: seconds of loading and of the texts, and how many changed.

nltk keeps its dictionary and its tagger in data packages that are not on PyPI. The dictionary is the folder that
Pairmill reads too. The tagger is nltk's own, trained here on a few sentences: with so few weights it is faster than
the one that nltk would fetch, and tags worse, which the speed does not depend on.
"""

import json
import os
import shutil
import sys
import tempfile
import time
from pathlib import Path

import pandas as pd

table, dictionary, texts = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])
LEXNAMES = """adj.all adj.pert adv.all noun.Tops noun.act noun.animal noun.artifact noun.attribute noun.body
noun.cognition noun.communication noun.event noun.feeling noun.food noun.group noun.location noun.motive noun.object
noun.person noun.phenomenon noun.plant noun.possession noun.process noun.quantity noun.relation noun.shape noun.state
noun.substance noun.time verb.body verb.change verb.cognition verb.communication verb.competition verb.consumption
verb.contact verb.creation verb.emotion verb.motion verb.perception verb.possession verb.social verb.stative
verb.weather adj.ppl""".split()
TAGGED = """I/PRP lost/VBD my/PRP$ new/JJ card/NN yesterday/NN
why/WRB was/VBD the/DT payment/NN declined/VBN
how/WRB do/VBP I/PRP change/VB my/PRP$ pin/NN
the/DT transfer/NN has/VBZ not/RB arrived/VBN yet/RB
can/MD you/PRP send/VB another/DT card/NN to/TO my/PRP$ address/NN
there/EX is/VBZ a/DT strange/JJ fee/NN on/IN my/PRP$ statement/NN
what/WP are/VBP the/DT current/JJ exchange/NN rates/NNS
machines/NNS quickly/RB took/VBD some/DT cards/NNS
please/VB help/VB me/PRP verify/VB my/PRP$ identity/NN
which/WDT currencies/NNS does/VBZ the/DT bank/NN support/VB"""

data = Path(tempfile.mkdtemp())
corpus = data / "corpora/wordnet"
corpus.mkdir(parents=True)
(data / "corpora/omw-1.4").mkdir()
for file in filter(Path.is_file, dictionary.iterdir()):
    # nltk refuses links that lead out of its folder.
    shutil.copy(file, corpus)
lexnames = "".join(f"{number:02}\t{name}\t1\n" for number, name in enumerate(LEXNAMES))
(corpus / "lexnames").write_text(lexnames)
os.environ["NLTK_DATA"] = str(data)

start = time.perf_counter()
import nltk  # noqa: E402
import nlpaug.augmenter.word as naw  # noqa: E402
from nltk.corpus.reader.wordnet import WordNetCorpusReader  # noqa: E402
from nltk.tag.perceptron import PerceptronTagger  # noqa: E402

tagger = PerceptronTagger(load=False)
sentences = [[tuple(word.rsplit("/", 1)) for word in line.split()] for line in TAGGED.splitlines()]
tagger.train(sentences, nr_iter=5)
nltk.pos_tag = tagger.tag
augmenter = naw.SynonymAug(aug_src="wordnet", aug_p=0.3)
reader = WordNetCorpusReader(str(corpus), None)
augmenter.model.model = reader
augmenter.augment("the card was declined")
loaded = time.perf_counter()
rows = pd.read_parquet(table)
column = "text" if "text" in rows else "anchor"
chosen = rows[column].tolist()[:texts]
begin = time.perf_counter()
found = [augmenter.augment(text) for text in chosen]
seconds = time.perf_counter() - begin
changed = sum([text] != (new if isinstance(new, list) else [new]) for text, new in zip(chosen, found))
examples = [[text, new] for text, new in zip(chosen[:8], found)]
print(json.dumps({"loading": loaded - start, "seconds": seconds, "texts": len(chosen), "changed": changed,
                  "texts_per_second": len(chosen) / seconds, "examples": examples}))
