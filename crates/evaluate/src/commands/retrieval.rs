use std::collections::HashSet;
use std::sync::Arc;

use pairmill_cli::Progress;
use pairmill_metrics::RetrievalMetric;
use pairmill_modeling::Side;
use pairmill_tables::{ColumnNames, Table, string_column};

use crate::encoder::Encoder;
use crate::qrels::Qrels;
use crate::ranking::{Ranking, write_per_query};
use crate::reader::Reader;
use crate::search::Search;
use crate::{EvaluateError, Evaluation, Frame, Models, Result};

/// Results kept for each query.
const DEPTH: usize = 100;
/// Documents embedded and searched at a time: enough to sort by length, few enough to hold.
const BLOCK: usize = 8_192;

const METHOD: &str = "Exact cosine search over the whole corpus, 100 results a query; title and \
text of a document are joined by a blank. Documents of equal cosine rank in ascending order of id. \
A document that has the id of the query is a result like any other. nDCG has linear gain. Means \
are over the queries to which at least one document is judged relevant.";

/// Exact search with an embedding model over a corpus, against judgements.
///
/// Queries to which no document is judged relevant are left out and counted. Judgements of
/// documents that the corpus lacks are counted, and stay in the divisors of nDCG, recall and MAP.
#[derive(Debug, Clone)]
pub struct Retrieval {
    /// The models.
    pub models: Models,
    /// The corpus table.
    pub corpus: String,
    /// Columns of the corpus under other names.
    pub names: ColumnNames,
    /// The queries table.
    pub queries: String,
    /// The qrels table.
    pub qrels: String,
}

impl Retrieval {
    /// Evaluates. The output folder gets the models' runs and the metrics of each query.
    pub(crate) fn run(&self, frame: &Frame) -> Result<Evaluation> {
        frame.run(
            "retrieval",
            METHOD,
            &(self.models.options(), &self.names),
            |lineage| {
                let tables = lineage
                    .with_input("corpus", &self.corpus)?
                    .with_input("queries", &self.queries)?
                    .with_input("qrels", &self.qrels)?;
                self.models.add_to(tables)
            },
            |results| {
                let reader = Reader::new(frame.threads)?;
                let topics = self.read_topics(&reader)?;
                let corpus = CorpusIds::read(&reader, &self.corpus, &self.names)?;
                let counts = self.count(&topics, &corpus);
                let encoders = self.models.load(frame.threads)?;
                let rankings =
                    encoders.try_map(|encoder| self.search(&reader, encoder, &topics, &corpus))?;
                let scores =
                    rankings.map(|run| run.assess(&topics.qrels, &RetrievalMetric::DEFAULTS));
                if let Some(results) = results {
                    let file = |name: &str| results.folder.join(name);
                    rankings
                        .model
                        .write(&file("run.parquet"), results.lineage)?;
                    if let Some(run) = &rankings.baseline {
                        run.write(&file("run_baseline.parquet"), results.lineage)?;
                    }
                    let target = file("per_query.parquet");
                    write_per_query(&target, &rankings.model.queries, &scores, results.lineage)?;
                }
                Ok(Evaluation::new(
                    "retrieval",
                    scores.map(|scores| scores.means()),
                    counts,
                ))
            },
        )
    }

    fn read_topics(&self, reader: &Reader) -> Result<Topics> {
        let qrels = Qrels::read(reader, &self.qrels)?;
        let mut ids = HashSet::new();
        let mut judged = Vec::new();
        let names = ColumnNames::default();
        reader.for_each(
            &self.queries,
            Table::Queries,
            &names,
            &["id", "text"],
            |batch| {
                for (id, text) in string_column(batch, "id")
                    .iter()
                    .zip(string_column(batch, "text"))
                {
                    let (id, text) = (id.unwrap_or_default(), text.unwrap_or_default());
                    if !ids.insert(id.to_owned()) {
                        return Err(duplicate(&self.queries, id));
                    }
                    if qrels.of(id).is_some() {
                        judged.push((id.to_owned(), text.to_owned()));
                    }
                }
                Ok(())
            },
        )?;
        if judged.is_empty() {
            return Err(EvaluateError::NothingJudged {
                qrels: self.qrels.clone(),
                queries: self.queries.clone(),
            });
        }
        judged.sort_unstable();
        Ok(Topics { qrels, ids, judged })
    }

    fn count(&self, topics: &Topics, corpus: &CorpusIds) -> [(&'static str, usize); 6] {
        let without_judgements = topics.ids.len() - topics.judged.len();
        let of_unknown_queries = topics
            .qrels
            .pairs()
            .filter(|(query, _)| !topics.ids.contains(*query))
            .count();
        let of_unknown_documents = topics
            .qrels
            .pairs()
            .filter(|(_, document)| !corpus.contains(document))
            .count();
        if without_judgements > 0 {
            tracing::warn!(
                "{without_judgements} of {} queries have no relevant document in {} and are left out",
                topics.ids.len(),
                self.qrels
            );
        }
        if of_unknown_queries > 0 {
            tracing::warn!(
                "{of_unknown_queries} of {} judgements name queries that {} does not hold; they are left out",
                topics.qrels.len(),
                self.queries
            );
        }
        if of_unknown_documents > 0 {
            tracing::warn!(
                "{of_unknown_documents} of {} judgements name documents that {} does not hold; these can never be found",
                topics.qrels.len(),
                self.corpus
            );
        }
        [
            ("queries", topics.judged.len()),
            ("queries_without_judgements", without_judgements),
            ("documents", corpus.sorted.len()),
            ("judgements", topics.qrels.len()),
            ("judgements_of_unknown_queries", of_unknown_queries),
            ("judgements_of_unknown_documents", of_unknown_documents),
        ]
    }

    fn search(
        &self,
        reader: &Reader,
        encoder: &Encoder,
        topics: &Topics,
        corpus: &CorpusIds,
    ) -> Result<Ranking> {
        let texts: Vec<&str> = topics
            .judged
            .iter()
            .map(|(_, text)| text.as_str())
            .collect();
        let queries = encoder.embed_all(&texts, Side::Query)?;
        let mut search = Search::new(&queries, DEPTH.min(corpus.sorted.len()));
        let progress = Progress::new(
            format!("embedding the corpus ({})", encoder.role),
            "documents",
            Some(corpus.sorted.len() as u64),
        );
        let mut block: Vec<String> = Vec::with_capacity(BLOCK);
        let mut searched = 0;
        let mut flush = |block: &mut Vec<String>| -> Result<()> {
            let texts: Vec<&str> = block.iter().map(String::as_str).collect();
            let keys = corpus.keys.get(searched..searched + block.len());
            let keys = keys.ok_or_else(|| EvaluateError::Changed {
                path: self.corpus.clone(),
            })?;
            search.add(&encoder.embed(&texts, Side::Document, &progress)?, keys);
            searched += block.len();
            block.clear();
            Ok(())
        };
        let columns = ["title", "text"];
        reader.for_each(
            &self.corpus,
            Table::Corpus,
            &self.names,
            &columns,
            |batch| {
                let titles = string_column(batch, "title");
                let texts = string_column(batch, "text");
                for row in 0..batch.num_rows() {
                    block.push(document_text(titles.value(row), texts.value(row)));
                    if block.len() == BLOCK {
                        flush(&mut block)?;
                    }
                }
                Ok(())
            },
        )?;
        flush(&mut block)?;
        Ok(Ranking {
            documents: corpus.sorted.clone(),
            queries: topics.judged.iter().map(|(id, _)| id.clone()).collect(),
            hits: search.finish(),
        })
    }
}

/// Judgements and the queries they are about.
struct Topics {
    qrels: Qrels,
    /// All ids of the queries table.
    ids: HashSet<String>,
    /// Id and text of the queries that are judged, in ascending order of id.
    judged: Vec<(String, String)>,
}

/// The ids of a corpus. A document's key is the place of its id in ascending order, so that
/// comparing keys compares ids.
struct CorpusIds {
    sorted: Arc<Vec<String>>,
    /// The key of each row.
    keys: Vec<u32>,
}

impl CorpusIds {
    fn read(reader: &Reader, input: &str, names: &ColumnNames) -> Result<Self> {
        let mut ids: Vec<(String, u32)> = Vec::new();
        reader.for_each(input, Table::Corpus, names, &["id"], |batch| {
            for id in string_column(batch, "id").iter().flatten() {
                ids.push((id.to_owned(), ids.len() as u32));
            }
            Ok(())
        })?;
        ids.sort_unstable();
        if let Some(pair) = ids.windows(2).find(|pair| pair[0].0 == pair[1].0) {
            return Err(duplicate(input, &pair[0].0));
        }
        let mut keys = vec![0; ids.len()];
        for (key, (_, row)) in ids.iter().enumerate() {
            keys[*row as usize] = key as u32;
        }
        Ok(Self {
            sorted: Arc::new(ids.into_iter().map(|(id, _)| id).collect()),
            keys,
        })
    }

    fn contains(&self, id: &str) -> bool {
        self.sorted
            .binary_search_by(|other| other.as_str().cmp(id))
            .is_ok()
    }
}

fn duplicate(path: &str, id: &str) -> EvaluateError {
    EvaluateError::DuplicateId {
        path: path.to_owned(),
        id: id.to_owned(),
    }
}

/// Title and text as BEIR and MTEB join them.
fn document_text(title: &str, text: &str) -> String {
    match (title, text) {
        ("", text) => text.to_owned(),
        (title, "") => title.to_owned(),
        (title, text) => format!("{title} {text}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn title_and_text_are_joined_by_a_blank_if_both_are_there() {
        assert_eq!(document_text("Lift", "It rises."), "Lift It rises.");
        assert_eq!(document_text("", "It rises."), "It rises.");
        assert_eq!(document_text("Lift", ""), "Lift");
    }
}
