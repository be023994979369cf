mod search;

use std::collections::{BTreeSet, HashMap};

use pairmill_metrics::RetrievalMetric;
use pairmill_modeling::SimilarityFunction;
use pairmill_schema::counted;
use pairmill_tables::{ColumnNames, Results, Table, TableReader, passage, string_column};

use crate::error::Result;
use crate::items::write::{PER_QUERY, write_items};
use crate::models::encoder::Encoder;
use crate::models::options::Models;
use crate::paired::Paired;
use crate::ranked::conventions::{gain, identical_ids, of_unknown_documents};
use crate::ranked::corpus::Corpus;
use crate::ranked::curves::{INTERPOLATED, precision_by_recall, score_distributions};
use crate::ranked::examples::Examples;
use crate::ranked::ranking::Ranking;
use crate::ranked::run_table::Ties;
use crate::ranked::topics::Topics;
use crate::report::{Card, Report};
use crate::results::evaluation::Evaluation;
use crate::results::names::data_name;
use crate::results::reporting::{curves, of_models, scatter};
use crate::results::run_options::RunOptions;
use crate::statistics::clusters::Clustering;
use crate::statistics::sample::{Means, Sample};
use crate::vectors::variants::{Precision, Variant, VariantScores};
use search::CorpusSearch;

/// Results kept for each query, unless a metric looks at more.
const DEPTH: usize = 100;

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
    /// Columns of the queries that group them; `length` is that of their texts where there is no
    /// such column.
    pub group_by: Vec<String>,
    /// Queries shown of each kind: gained and lost most.
    pub examples: usize,
    /// Give figures of embeddings cut to so many components as well.
    pub truncate_dim: Vec<usize>,
    /// Give figures of embeddings of less precision as well.
    pub precision: Vec<Precision>,
    /// The metrics, chief figure first.
    pub metrics: Vec<RetrievalMetric>,
    /// Whether to drop a document that has the id of the query, as BEIR does where queries are
    /// documents of the corpus themselves.
    pub ignore_identical_ids: bool,
    /// Column of the queries of which equal values make them one unit of the intervals and tests;
    /// `id` keeps each by itself, and without one those are that share a relevant document.
    pub cluster_column: Option<String>,
}

impl Retrieval {
    /// Evaluates. The output folder gets the models' runs and the metrics of each query.
    pub(crate) fn run(&self, run_options: &RunOptions) -> Result<Evaluation> {
        let metrics = &self.metrics;
        run_options.run(
            "retrieval",
            &self.method(),
            &(
                self.models.options(),
                &self.names,
                &self.group_by,
                self.examples,
                &self.truncate_dim,
                &self.precision,
                metrics.iter().map(ToString::to_string).collect::<Vec<_>>(),
                self.ignore_identical_ids,
                &self.cluster_column,
            ),
            |lineage| {
                let tables = lineage
                    .with_input("corpus", &self.corpus)?
                    .with_input("queries", &self.queries)?
                    .with_input("qrels", &self.qrels)?;
                self.models.add_to(tables)
            },
            |results| {
                let reader = TableReader::new(run_options.threads)?;
                let topics = self.topics(&reader)?;
                let corpus = Corpus::read(&reader, &self.corpus, &self.names)?;
                let counts = self.count(&topics, &corpus);
                let encoders = self.models.load()?;
                let variants = self.variants(&encoders.model)?;
                let lacking = warn_of_dimensions(&encoders, &variants);
                let search = CorpusSearch {
                    topics: &topics,
                    corpus: &corpus,
                    variants: &variants,
                    depth: self.depth(),
                    ignore_identical_ids: self.ignore_identical_ids,
                };
                let found = encoders.try_map(|encoder| search.by(encoder))?;
                let scores = found.map(|found| found.as_is.assess(&topics.qrels, metrics));
                let counts = counts.into_iter().chain(found.model.identical_ids());
                let counts = counts.chain(lacking.map(|forms| ("forms_without_baseline", forms)));
                let clustering = topics.clustering(self.cluster_column.as_deref());
                let clustering = clustering.as_ref();
                let settings = &run_options.settings;
                let evaluation = Evaluation::of("retrieval", &scores, clustering, settings, counts);
                let mut evaluation = evaluation
                    .with_convention("ties", Ties::St.name())
                    .with_convention("identical_ids", identical_ids(self.ignore_identical_ids));
                let similarities = encoders.map(Encoder::similarity);
                for (name, similarity) in [
                    ("similarity", Some(similarities.model)),
                    ("similarity_baseline", similarities.baseline),
                ] {
                    if let Some(similarity) =
                        similarity.filter(|one| *one != SimilarityFunction::Cosine)
                    {
                        evaluation = evaluation.with_convention(name, similarity.name());
                    }
                }
                evaluation.variants = variants
                    .iter()
                    .map(|&variant| {
                        let scores = found.filter_map(|found| {
                            let run = found.variants.iter().find(|(one, _)| *one == variant)?;
                            Some(run.1.assess(&topics.qrels, metrics).all())
                        });
                        scores.map(|scores| VariantScores::new(variant, scores))
                    })
                    .collect::<Option<Vec<_>>>()
                    .unwrap_or_default();
                if !evaluation.variants.is_empty() {
                    evaluation.embedding_bytes = Some(4 * encoders.model.dimension() as u64);
                }
                let groupings = &topics.groupings;
                evaluation.groups = groupings
                    .iter()
                    .flat_map(|one| one.figures(&scores, clustering, settings))
                    .collect();
                if let Some(results) = results {
                    evaluation.card = self.models.model.card().map(|text| Card {
                        text,
                        similarity: encoders.model.similarity(),
                    });
                    let rankings = found.into_map(|found| found.as_is);
                    evaluation.drawn =
                        self.write(&reader, &results, &topics, &rankings, &scores, clustering)?;
                }
                evaluation.warn(encoders.warnings());
                Ok(evaluation)
            },
        )
    }

    fn topics(&self, reader: &TableReader) -> Result<Topics> {
        let cluster = self.cluster_column.as_deref();
        Topics::read(reader, &self.queries, &self.qrels, &self.group_by, cluster)
    }

    fn method(&self) -> String {
        let identical = match self.ignore_identical_ids {
            true => "A document that has the id of the query is no result.",
            false => "A document that has the id of the query is a result like any other.",
        };
        format!(
            "Exact search over the whole corpus by cosine, or by the similarity that a model \
             names, {} results a query; title and text of a document are joined by a blank. \
             Documents that are equally alike rank in ascending order of id. {identical} \
             {}Means are over the queries to which at least one document is judged relevant.",
            self.depth(),
            gain(&self.metrics)
        )
    }

    /// How many results a query gets.
    fn depth(&self) -> usize {
        let deepest = self.metrics.iter().map(|metric| metric.cut_off()).max();
        deepest.unwrap_or(0).max(DEPTH)
    }

    /// Fills the output folder, and draws what the report shows of it.
    fn write(
        &self,
        reader: &TableReader,
        results: &Results<'_>,
        topics: &Topics,
        rankings: &Paired<Ranking>,
        scores: &Paired<Means>,
        clustering: Option<&Clustering>,
    ) -> Result<Report> {
        let file = |name: &str| results.folder.join(name);
        rankings
            .model
            .write(&file("run.parquet"), results.lineage)?;
        if let Some(run) = &rankings.baseline {
            run.write(&file("run_baseline.parquet"), results.lineage)?;
        }
        let target = file(PER_QUERY);
        write_items(
            &target,
            &topics.labels(),
            scores,
            clustering,
            results.lineage,
        )?;
        let texts = topics.texts();
        let mut examples = Examples::choose(self.examples, &texts, &topics.qrels, rankings, scores);
        examples.fill(&self.texts_of(reader, &examples.documents())?);
        results.write_json("examples.json", &examples)?;

        let mut drawn = of_models(&self.models, "queries")?;
        drawn.data = data_name(&self.queries);
        drawn.scatter = scatter(scores, texts);
        drawn.examples = examples.report();
        drawn.distributions = score_distributions(&drawn, rankings, &topics.qrels);
        let points = rankings.map(|run| precision_by_recall(run, &topics.qrels));
        drawn.precision_recall = curves(&drawn, points);
        drawn.precision_recall_note = INTERPOLATED.to_owned();
        Ok(drawn)
    }

    /// Title and text of some documents.
    fn texts_of(
        &self,
        reader: &TableReader,
        wanted: &BTreeSet<String>,
    ) -> Result<HashMap<String, String>> {
        let mut found = HashMap::new();
        if wanted.is_empty() {
            return Ok(found);
        }
        let columns = ["id", "title", "text"];
        reader.for_each(
            &self.corpus,
            Table::Corpus,
            &self.names,
            &columns,
            |batch| -> Result<()> {
                let [ids, titles, texts] = columns.map(|name| string_column(batch, name));
                for row in 0..batch.num_rows() {
                    if wanted.contains(ids.value(row)) {
                        let text = passage(titles.value(row), texts.value(row)).into_owned();
                        found.insert(ids.value(row).to_owned(), text);
                    }
                }
                Ok(())
            },
        )?;
        Ok(found)
    }

    fn count(&self, topics: &Topics, corpus: &Corpus<'_>) -> [(&'static str, usize); 6] {
        let without_judgements = topics.ids.len() - topics.judged.len();
        let of_unknown_queries = topics
            .qrels
            .pairs()
            .filter(|(query, _)| !topics.ids.contains_key(*query))
            .count();
        if without_judgements > 0 {
            tracing::warn!(
                "{without_judgements} of {} left out, without a relevant document in {}",
                counted(topics.ids.len(), "query", "queries"),
                self.qrels
            );
        }
        if of_unknown_queries > 0 {
            tracing::warn!(
                "{of_unknown_queries} of {} left out, of queries that {} does not hold",
                counted(topics.qrels.len(), "judgement", "judgements"),
                self.queries
            );
        }
        let of_unknown_documents =
            of_unknown_documents(&topics.qrels, &self.corpus, |id| corpus.contains(id));
        [
            ("queries", topics.judged.len()),
            ("queries_without_judgements", without_judgements),
            ("documents", corpus.len()),
            ("judgements", topics.qrels.len()),
            ("judgements_of_unknown_queries", of_unknown_queries),
            ("judgements_of_unknown_documents", of_unknown_documents),
        ]
    }

    /// The smaller forms to try.
    fn variants(&self, encoder: &Encoder) -> Result<Vec<Variant>> {
        let (dimensions, precisions) = (&self.truncate_dim, &self.precision);
        Variant::all(dimensions, precisions, encoder.dimension(), encoder.name())
    }
}

/// Warns where the smaller forms are not of as many components for both models, and says how many
/// have no figures of the baseline, if any.
fn warn_of_dimensions(encoders: &Paired<Encoder>, variants: &[Variant]) -> Option<usize> {
    let baseline = encoders.baseline.as_ref()?;
    let (own, other) = (encoders.model.dimension(), baseline.dimension());
    let lacking = variants.iter().filter(|one| one.dimension > other).count();
    if lacking > 0 {
        tracing::warn!(
            "the baseline {} has {other} dimensions; {lacking} of {} smaller forms keep more of \
             the model's {own} and have no figures of it",
            baseline.name(),
            variants.len()
        );
    } else if own < other && !variants.is_empty() {
        tracing::warn!(
            "the baseline {} has {other} dimensions; its smaller forms are cut to {own} or fewer, \
             as many as the model's keep",
            baseline.name()
        );
    }
    (lacking > 0).then_some(lacking)
}
