use pairmill_cli::Progress;
use pairmill_modeling::Side;

use crate::error::Result;
use crate::models::encoder::Encoder;
use crate::ranked::corpus::Corpus;
use crate::ranked::equal_texts::EmbedOnce;
use crate::ranked::ranking::Ranking;
use crate::ranked::topics::Topics;
use crate::vectors::variants::{Steps, Variant};
use pairmill_retrieval::Embeddings;
use pairmill_retrieval::Search;

/// Documents embedded and searched at a time: enough to sort by length, few enough to hold.
const BLOCK: usize = 8_192;

/// Exact search for the documents of a corpus that are most like each query, the corpus in a
/// stream.
pub(super) struct CorpusSearch<'a> {
    pub topics: &'a Topics,
    pub corpus: &'a Corpus<'a>,
    /// Smaller forms to search by as well.
    pub variants: &'a [Variant],
    /// Results that a query gets.
    pub depth: usize,
    /// Whether to drop a document that has the id of the query.
    pub ignore_identical_ids: bool,
}

impl CorpusSearch<'_> {
    /// Searches by a model and, where it has the dimensions, by its smaller forms.
    pub fn by(&self, encoder: &Encoder) -> Result<Found> {
        let Self { topics, corpus, .. } = self;
        let similarity = encoder.similarity();
        let texts = topics.texts();
        let progress = encoder.progress(&texts);
        let queries = encoder.embed_to_compare(&texts, Side::Query, &progress)?;
        drop(progress);
        let of_baseline = |one: &&Variant| one.dimension <= encoder.dimension();
        let variants: Vec<Variant> = self.variants.iter().filter(of_baseline).copied().collect();
        let variant_queries: Vec<Embeddings> = variants
            .iter()
            .map(|variant| variant.of_queries(&queries, similarity))
            .collect();
        let depth = self.depth + usize::from(self.ignore_identical_ids);
        let depth = depth.min(corpus.len());
        let mut as_is = Search::by(similarity, &queries, depth);
        let mut smaller: Vec<(Variant, Search<'_>, Option<Steps>)> = variants
            .iter()
            .zip(&variant_queries)
            .map(|(&variant, queries)| {
                let search = Search::by(variant.compared_by(similarity), queries, depth);
                (variant, search, None)
            })
            .collect();
        let progress = Progress::new(
            format!("embedding the corpus ({})", encoder.role),
            "documents",
            Some(corpus.len() as u64),
        );
        // What stands for the whole corpus has to be known before the first document is rounded.
        let has_steps = smaller.iter().any(|(variant, ..)| variant.has_steps());
        let first = match has_steps && corpus.len() > BLOCK {
            true => corpus.drawn(BLOCK),
            false => Vec::new(),
        };
        let mut once = EmbedOnce::new(&corpus.equal_texts);
        corpus.for_each_block(BLOCK, &first, |texts, keys| {
            let documents = once.embed(texts, |texts| {
                encoder.embed_to_compare(texts, Side::Document, &progress)
            })?;
            as_is.add(&documents, keys);
            for (variant, search, steps) in &mut smaller {
                if steps.is_none() {
                    *steps = variant.calibrate(&documents, similarity);
                }
                let documents = variant.of_documents(&documents, similarity, steps.as_ref());
                search.add(&documents, keys);
            }
            Ok(())
        })?;
        let ranking = |search: Search<'_>| {
            let mut ranking = Ranking {
                documents: corpus.sorted.clone(),
                queries: topics.judged.iter().map(|one| one.id.clone()).collect(),
                hits: search.finish(),
            };
            let ignore = self.ignore_identical_ids;
            let dropped = ignore.then(|| ranking.drop_identical_ids(self.depth));
            (ranking, dropped)
        };
        let (as_is, identical_ids_ignored) = ranking(as_is);
        Ok(Found {
            variants: smaller
                .into_iter()
                .map(|(variant, search, _)| (variant, ranking(search).0))
                .collect(),
            as_is,
            identical_ids_ignored,
        })
    }
}

/// What a model found.
pub(super) struct Found {
    /// By its embeddings as they are.
    pub as_is: Ranking,
    /// By smaller forms of them.
    pub variants: Vec<(Variant, Ranking)>,
    /// Results dropped because they have the id of the query, where that is asked for.
    identical_ids_ignored: Option<usize>,
}

impl Found {
    /// How many were dropped, under the name of the count.
    pub fn identical_ids(&self) -> Option<(&'static str, usize)> {
        self.identical_ids_ignored
            .map(|count| ("identical_ids_ignored", count))
    }
}
