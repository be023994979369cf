//! Which passages to search, and how.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use pairmill_cli::numbers::{not_negative, positive_whole, share};
use pairmill_hub::ModelSource;
use pairmill_lexical::{Analysis, Bm25, Fields};
use pairmill_mine::{Corpus, Encoder, Pairs, Retrieval};

use crate::values::{onnx_model, table_file};

/// What is added to each rank in a fusion, as in the paper.
const RRF_K: u32 = 60;
/// Enough for the processor to be busy; more only takes memory.
const TOKEN_BUDGET: usize = 4_096;

#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Corpus and retriever")]
pub(crate) struct CorpusArgs {
    /// Passages to search: id, title (may be absent), text [default where pairs are mined: their
    /// positives]
    #[arg(long, value_name = "FILE", value_parser = table_file)]
    corpus: Option<String>,
    /// Folder that keeps index and embeddings of the corpus for the next run [default: a temporary
    /// one]
    #[arg(long, value_name = "DIR")]
    index: Option<PathBuf>,
    /// Column of the corpus' ids [default: id]
    #[arg(long, value_name = "NAME")]
    id_column: Option<String>,
    /// Column of the corpus' titles [default: title]
    #[arg(long, value_name = "NAME")]
    title_column: Option<String>,
    /// Column of the corpus' texts [default: text]
    #[arg(long, value_name = "NAME")]
    text_column: Option<String>,
    /// How passages are found
    #[arg(long, value_name = "NAME", value_enum, default_value_t = RetrieverName::Bm25)]
    retriever: RetrieverName,
    /// BM25: language whose stop words are left out and whose words are stemmed, `auto` to tell it
    /// from the corpus, or `none` [default: english]
    #[arg(long, value_name = "NAME")]
    language: Option<Analysis>,
    /// BM25: how soon further occurrences of a term stop counting [default: 1.2]
    #[arg(long, value_name = "X", value_parser = not_negative::<f32>)]
    k1: Option<f32>,
    /// BM25: how much the length of a passage counts, from 0 to 1 [default: 0.75]
    #[arg(long, value_name = "X", value_parser = share::<f32>)]
    b: Option<f32>,
    /// BM25: weight of the title as a field of its own [default: title and text are one field]
    #[arg(long, value_name = "X", value_parser = not_negative::<f32>)]
    title_weight: Option<f32>,
    /// BM25: weight of the text as a field of its own [default: 1 with --title-weight]
    #[arg(long, value_name = "X", value_parser = not_negative::<f32>, requires = "title_weight")]
    text_weight: Option<f32>,
    /// BM25: count only so many terms of a query, the rarest ones [default: all]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    max_query_terms: Option<u32>,
    /// Embeddings: a sentence-transformers folder with model.onnx, as `pairmill-train export` makes
    /// it, or an id on the Hugging Face Hub
    #[arg(long, aliases = ["model-name-or-path", "embedder-name-or-path"], value_name = "DIR_OR_ID", value_parser = onnx_model)]
    model: Option<ModelSource>,
    /// Embeddings: text put before each query [default: the model's own]
    #[arg(long, alias = "query-instruction-for-retrieval", value_name = "TEXT")]
    query_prompt: Option<String>,
    /// Embeddings: text put before each passage [default: the model's own]
    #[arg(long, alias = "corpus-prompt", value_name = "TEXT")]
    document_prompt: Option<String>,
    /// Embeddings: longest text in tokens; longer ones are cut [default: the model's own limit]
    #[arg(long, alias = "max-seq-length", value_name = "N", value_parser = positive_whole)]
    max_length: Option<usize>,
    /// Embeddings: tokens in a batch; bounds memory, does not change results [default: 4096]
    #[arg(long, value_name = "N", value_parser = positive_whole)]
    token_budget: Option<usize>,
    /// Hybrid: a passage scores the sum of 1 / (N + rank) over both retrievers [default: 60]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    rrf_k: Option<u32>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
enum RetrieverName {
    /// Words in common, by BM25
    #[default]
    Bm25,
    /// Similar embeddings, exactly
    Dense,
    /// Both, fused by reciprocal ranks
    Hybrid,
}

impl CorpusArgs {
    /// Returns the passages' file, where one was named.
    pub(crate) fn file(&self) -> Option<&str> {
        self.corpus.as_deref()
    }

    /// # Errors
    /// A sentence that says which options do not go together. Without a corpus, the positives of
    /// `pairs` are one.
    pub(crate) fn corpus(self, pairs: Option<&Pairs>) -> Result<Corpus, String> {
        self.check_options()?;
        let of_pairs = match (&self.corpus, pairs) {
            (Some(_), _) => None,
            (None, Some(pairs)) => Some(pairs.clone()),
            (None, None) => return Err("a search needs --corpus FILE".to_owned()),
        };
        let of_corpus = [
            ("--id-column", self.id_column.is_some()),
            ("--title-column", self.title_column.is_some()),
            ("--text-column", self.text_column.is_some()),
        ];
        let named = of_corpus.into_iter().find(|(_, is_given)| *is_given);
        if let (Some(_), Some((option, _))) = (&of_pairs, named) {
            return Err(format!(
                "{option} is a column of the corpus, which --corpus FILE gives; those of the pairs are --anchor-column, --positive-column and so on"
            ));
        }
        let bm25 = Bm25::default();
        Ok(Corpus {
            bm25: Bm25 {
                analysis: self.language.unwrap_or(bm25.analysis),
                k1: self.k1.unwrap_or(bm25.k1),
                b: self.b.unwrap_or(bm25.b),
                fields: match self.title_weight {
                    Some(title) => Fields::Separate {
                        title,
                        text: self.text_weight.unwrap_or(1.0),
                    },
                    None => Fields::Joined,
                },
                max_query_terms: self.max_query_terms,
            },
            is_analysis_given: self.language.is_some(),
            retrieval: self.retrieval()?,
            path: match &of_pairs {
                Some(pairs) => pairs.path.clone(),
                None => self.corpus.unwrap_or_default(),
            },
            pairs: of_pairs,
            index: self.index,
            id_column: self.id_column,
            title_column: self.title_column,
            text_column: self.text_column,
        })
    }

    fn retrieval(&self) -> Result<Retrieval, String> {
        let encoder = || {
            let needs = "--retriever dense and hybrid need --model DIR_OR_ID, a sentence encoder";
            Ok::<_, String>(Encoder {
                model: self.model.clone().ok_or(needs)?,
                query_prompt: self.query_prompt.clone(),
                document_prompt: self.document_prompt.clone(),
                max_length: self.max_length,
                token_budget: self.token_budget.unwrap_or(TOKEN_BUDGET),
            })
        };
        Ok(match self.retriever {
            RetrieverName::Bm25 => Retrieval::Bm25,
            RetrieverName::Dense => Retrieval::Dense(encoder()?),
            RetrieverName::Hybrid => Retrieval::Hybrid {
                encoder: encoder()?,
                rrf_k: self.rrf_k.unwrap_or(RRF_K),
            },
        })
    }

    /// Refuses options that would have no effect.
    fn check_options(&self) -> Result<(), String> {
        let of_bm25 = [
            ("--language", self.language.is_some()),
            ("--k1", self.k1.is_some()),
            ("--b", self.b.is_some()),
            ("--title-weight", self.title_weight.is_some()),
            ("--max-query-terms", self.max_query_terms.is_some()),
        ];
        let of_dense = [
            ("--model", self.model.is_some()),
            ("--query-prompt", self.query_prompt.is_some()),
            ("--document-prompt", self.document_prompt.is_some()),
            ("--max-length", self.max_length.is_some()),
            ("--token-budget", self.token_budget.is_some()),
        ];
        let given = |options: &[(&'static str, bool)]| {
            let mut given = options.iter().filter(|(_, is_given)| *is_given);
            given.next().map(|(name, _)| *name)
        };
        let refuse = |option: Option<&str>, others: &str| match option {
            Some(option) => Err(format!("{option} is for --retriever {others}")),
            None => Ok(()),
        };
        match self.retriever {
            RetrieverName::Bm25 => refuse(given(&of_dense), "dense or hybrid")?,
            RetrieverName::Dense => refuse(given(&of_bm25), "bm25 or hybrid")?,
            RetrieverName::Hybrid => return Ok(()),
        }
        refuse(given(&[("--rrf-k", self.rrf_k.is_some())]), "hybrid")
    }
}
