//! Options of `mine_hard_negatives` in sentence-transformers and of FlagEmbedding's `hn_mine` that
//! have no like here; the others go by both names.

use pairmill_cli::OtherName;

pub(crate) const OTHER_NAMES: [OtherName; 14] = [
    OtherName::new(
        "range-for-sampling",
        "range-max",
        "for 2-200 use --range-min 2 --range-max 200 --top-k 200 --sampling-strategy random",
    ),
    OtherName::new(
        "margin",
        "absolute-margin",
        "use --absolute-margin or --relative-margin",
    ),
    OtherName::new("as-triplets", "format", "use --format triplet"),
    OtherName::new(
        "output-scores",
        "format",
        "use --format candidates, which has the scores of all candidates",
    ),
    OtherName::new(
        "cross-encoder",
        "retriever",
        "mine first, then let `pairmill-filter --model DIR_OR_ID` score the candidates",
    ),
    OtherName::new(
        "candidate-pool",
        "corpus",
        "use --corpus FILE, a table with id and text",
    ),
    OtherName::new(
        "input-file",
        "pairs",
        "use --pairs FILE, a table with a row for each anchor and positive",
    ),
    OtherName::new("output-file", "output", "use --output FILE"),
    OtherName::new(
        "batch-size",
        "token-budget",
        "use --token-budget N, the tokens of a batch; results do not depend on it",
    ),
    OtherName::new(
        "query-prompt-name",
        "query-prompt",
        "use --query-prompt TEXT; without it, the model's own prompt is used",
    ),
    OtherName::new(
        "corpus-prompt-name",
        "document-prompt",
        "use --document-prompt TEXT; without it, the model's own prompt is used",
    ),
    OtherName::new(
        "cache-folder",
        "index",
        "use --index DIR, which keeps embeddings and index for the next run",
    ),
    OtherName::new(
        "use-faiss",
        "retriever",
        "leave it out: the search is exact and needs no index of that kind",
    ),
    OtherName::new(
        "use-gpu-for-searching",
        "retriever",
        "leave it out: mining runs on the processor",
    ),
];
