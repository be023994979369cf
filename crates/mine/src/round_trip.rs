use std::path::PathBuf;
use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, BooleanArray, RecordBatch, StringArray, UInt32Array};
use arrow::compute::{cast, filter_record_batch};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::common::JoinType;
use datafusion::functions_aggregate::expr_fn::min;
use datafusion::logical_expr::{lit, when};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::prelude::{DataFrame, SessionContext, ident};
use futures::{StreamExt, TryStreamExt};
use pairmill_candidates::Evidence;
use pairmill_cli::Progress;
use pairmill_schema::{Sameness, counted};
use pairmill_tables::{Lineage, Table, TableOutput, session};
use serde::{Deserialize, Serialize};
use tracing::info;

use crate::beside::Beside;
use crate::candidates::{distinct, passages, warn_of_queries};
use crate::config::refuse_shared_output;
use crate::learning::Learning;
use crate::pairs::content_id;
use crate::plan::{Runs, with_hits};
use crate::retriever::HITS_PER_BATCH;
use crate::stream_table::table_of;
use crate::{Corpus, MineError, MineSummary, Pairs, Report, Result, RunOptions};

/// The column of the audit table that says at which rank the anchor finds its positive.
const RANK: &str = "rank";
/// The column of the passage that it finds first.
const FIRST_ID: &str = "first_id";
/// The column of the decision's reason.
const REASON: &str = "reason";

/// Which pairs to send on a round trip, to where.
#[derive(Debug, Clone, Serialize)]
pub struct RoundTripConfig {
    /// The pairs.
    #[serde(flatten)]
    pub pairs: Pairs,
    /// The passages that anchors search.
    #[serde(flatten)]
    pub corpus: Corpus,
    /// Passages among which the positive has to be.
    pub within: usize,
    /// Where to write all pairs with their ranks.
    #[serde(skip)]
    pub audit: Option<PathBuf>,
    /// Where to write the pairs that are kept, and how to run.
    #[serde(skip)]
    pub run: RunOptions,
}

/// What came back.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoundTripSummary {
    /// Passages in the corpus.
    pub passages: u64,
    /// Distinct anchors.
    pub queries: u64,
    /// Anchors that BM25 finds nothing by as they have no term: no words, or only stop words.
    pub queries_without_terms: u64,
    /// Positives that the corpus has neither by id nor by text.
    pub positives_outside_corpus: u64,
    /// Rows left out because their label says that they are no positives.
    pub pairs_labeled_negative: u64,
    /// The other rows.
    pub pairs: u64,
    /// Rows whose anchor finds the positive, which are written.
    pub found: u64,
    /// Those among them that find it before every other passage.
    pub found_first: u64,
    /// Rows whose anchor does not find it.
    pub not_found: u64,
}

/// Writes the pairs whose anchor finds its positive among the first passages, unless that is up to
/// date: a query that does not find its passage asks for something else, or for much else as well
/// (Alberti et al., Synthetic QA corpora generation with roundtrip consistency, 2019). A passage
/// with the text of the positive counts as the positive. Ordered by ids.
///
/// # Errors
/// If an input is unsound (see [`pairmill_tables::open`]), two passages share an id, no pair is
/// kept, or the index or an output cannot be written.
pub async fn round_trip(config: &RoundTripConfig) -> Result<Report<RoundTripSummary>> {
    let lineage = Lineage::new("round-trip", config, config.run.seed);
    let lineage = lineage.with_input("pairs", &config.pairs.path)?;
    let lineage = config.corpus.add_to(lineage)?;
    let mut is_done = lineage.is_done(&config.run.output, config.run.force)?;
    if let Some(audit) = &config.audit {
        is_done &= lineage.is_done(audit, config.run.force)?;
    }
    config.run.run(is_done, write_pairs(config, &lineage)).await
}

async fn write_pairs(config: &RoundTripConfig, lineage: &Lineage) -> Result<RoundTripSummary> {
    let run = &config.run;
    let session = session(run.threads)?;
    let pairs = config.pairs.resolved(&session).await?;
    let (open, kept) = (pairs.open(&session).await?, pairs.kept.fields());
    let corpus = config.corpus.resolved(&session).await?;
    let passages = passages(&corpus, None, &session).await?;
    let beside = Beside::open(&corpus, &session, lineage, run.threads, &run.output).await?;
    let mut of_inputs = MineSummary::default();
    let learning = Learning {
        corpus: &corpus,
        path: &pairs.path,
        pairs: &open,
        same_text: Sameness::default(),
        summary: &mut of_inputs,
        evidence: Evidence::new(Sameness::default(), false),
    };
    let terms = beside.retriever.term_finder();
    learning.learn(&session, terms, None, passages).await?;
    let searched = distinct(open.positives.clone(), &[])?;
    let hits = with_hits(
        run,
        &session,
        searched,
        &["query_id", "positive_id"],
        &beside.retriever,
        config.within,
        true,
    )
    .await?;
    let hits = watched(&session, hits, of_inputs.pairs).await?;
    let rows = with_ranks(open.positives, hits, &pairs.kept.names())?;
    let own = Table::Pairs.schema();
    let fields: Vec<Field> = own.fields().iter().map(|field| (**field).clone()).collect();
    let fields: Vec<Field> = fields.into_iter().chain(kept).collect();
    let mut outputs = Outputs::create(config, fields, lineage)?;
    let mut summary = RoundTripSummary {
        passages: beside.retriever.passages(),
        queries: of_inputs.queries,
        queries_without_terms: of_inputs.queries_without_terms,
        positives_outside_corpus: of_inputs.positives_outside_corpus,
        pairs_labeled_negative: of_inputs.pairs_labeled_negative,
        ..Default::default()
    };
    let mut rows = run.ahead(rows.execute_stream().await?);
    while let Some(batch) = rows.next().await {
        let batch = batch?;
        summary.add(&outputs.write(&batch)?);
    }
    if summary.found == 0 {
        beside.remove();
        return Err(MineError::NothingFound {
            pairs: summary.pairs,
            within: config.within,
            path: config.pairs.path.clone(),
        });
    }
    outputs.finish(&summary)?;
    beside.remove();
    summary.log(config);
    Ok(summary)
}

/// Shows how many pairs have been searched for as the hits come.
async fn watched(session: &SessionContext, hits: DataFrame, pairs: u64) -> Result<DataFrame> {
    let hits = hits.execute_stream().await?;
    let progress = Progress::new("searching", "pairs", Some(pairs));
    let (schema, mut seen) = (hits.schema(), Runs::default());
    let hits = hits.inspect_ok(move |batch| {
        progress.inc(seen.count(batch, &["query_id", "positive_id"]));
    });
    let hits = Box::pin(RecordBatchStreamAdapter::new(schema, hits));
    Ok(session.read_table(table_of(hits, HITS_PER_BATCH)?)?)
}

/// Joins the pairs with the ranks of their positives, null where these are not found.
fn with_ranks(pairs: DataFrame, hits: DataFrame, kept: &[&str]) -> Result<DataFrame> {
    let text = |name: &str| content_id().call(vec![ident(name)]);
    let is_own = ident("corpus_id").eq(ident("positive_id"));
    let is_own = is_own.or(text("text").eq(text("positive")));
    let own_rank = when(is_own, ident("rank")).end()?;
    let first = when(ident("rank").eq(lit(1)), ident("corpus_id")).end()?;
    let found = hits.aggregate(
        vec![
            ident("query_id").alias("of_anchor"),
            ident("positive_id").alias("of_positive"),
        ],
        vec![min(own_rank).alias(RANK), min(first).alias(FIRST_ID)],
    )?;
    let rows = pairs.join(
        found,
        JoinType::Left,
        &["anchor_id", "positive_id"],
        &["of_anchor", "of_positive"],
        None,
    )?;
    let texts = ["anchor_id", "anchor", "positive_id", "positive"];
    let columns = texts.iter().chain(kept);
    let columns: Vec<_> = columns
        .chain(&[RANK, FIRST_ID])
        .map(|&name| ident(name))
        .collect();
    // All of them, so that equal pairs with other columns have one order.
    let order = texts
        .iter()
        .chain(kept)
        .map(|&name| ident(name).sort(true, true));
    Ok(rows.select(columns)?.sort(order.collect())?)
}

/// Where the pairs go.
struct Outputs {
    kept: TableOutput,
    audit: Option<TableOutput>,
    schema: SchemaRef,
    audit_schema: SchemaRef,
}

/// The pairs of a batch by what became of them.
#[derive(Default)]
struct Counts {
    pairs: u64,
    found: u64,
    found_first: u64,
}

impl Outputs {
    fn create(config: &RoundTripConfig, fields: Vec<Field>, lineage: &Lineage) -> Result<Self> {
        let own = [
            Field::new(RANK, DataType::UInt32, true),
            Field::new(FIRST_ID, DataType::Utf8, true),
            Field::new(REASON, DataType::Utf8, false),
        ];
        let audited = fields.iter().cloned().chain(own);
        let audit_schema = SchemaRef::new(Schema::new(audited.collect::<Vec<_>>()));
        let schema = SchemaRef::new(Schema::new(fields));
        let create = |path, schema: &SchemaRef| TableOutput::create(path, schema.clone(), lineage);
        Ok(Self {
            kept: create(&config.run.output, &schema)?,
            audit: match &config.audit {
                Some(audit) => Some(create(audit, &audit_schema)?),
                None => None,
            },
            schema,
            audit_schema,
        })
    }

    fn write(&mut self, batch: &RecordBatch) -> Result<Counts> {
        let own = self.schema.fields().len();
        let ranks = cast(batch.column(own), &DataType::UInt32)?;
        let ranks: &UInt32Array = ranks.as_primitive();
        let is_found: BooleanArray = ranks.iter().map(|rank| Some(rank.is_some())).collect();
        let columns = batch.columns()[..own].to_vec();
        let pairs = RecordBatch::try_new(self.schema.clone(), columns.clone())?;
        self.kept.write(&filter_record_batch(&pairs, &is_found)?)?;
        if let Some(audit) = &mut self.audit {
            let reasons = ranks.iter().map(|rank| match rank {
                Some(_) => "found",
                None => "not_found",
            });
            let reasons = Arc::new(StringArray::from_iter_values(reasons));
            let more: [ArrayRef; 3] = [
                Arc::new(ranks.clone()),
                batch.column(own + 1).clone(),
                reasons,
            ];
            let columns = columns.into_iter().chain(more).collect();
            audit.write(&RecordBatch::try_new(self.audit_schema.clone(), columns)?)?;
        }
        Ok(Counts {
            pairs: batch.num_rows() as u64,
            found: is_found.true_count() as u64,
            found_first: ranks.iter().filter(|&rank| rank == Some(1)).count() as u64,
        })
    }

    fn finish(self, summary: &RoundTripSummary) -> Result<()> {
        if let Some(audit) = self.audit {
            audit.finish_with(summary)?;
        }
        self.kept.finish_with(summary)?;
        Ok(())
    }
}

impl RoundTripConfig {
    /// Finds options that contradict each other.
    ///
    /// # Errors
    /// A sentence that says which.
    pub fn validate(&self) -> Result<(), String> {
        refuse_shared_output(self.audit.as_deref(), &self.run.output)
    }
}

impl RoundTripSummary {
    fn add(&mut self, counts: &Counts) {
        self.pairs += counts.pairs;
        self.found += counts.found;
        self.found_first += counts.found_first;
        self.not_found += counts.pairs - counts.found;
    }

    fn log(&self, config: &RoundTripConfig) {
        warn_of_queries(self.queries, self.queries_without_terms, 0);
        info!(
            "wrote {}: {} of {} find their positive among the first {}, {} before all others",
            config.run.output.display(),
            self.found,
            counted(self.pairs, "pair", "pairs"),
            config.within,
            self.found_first
        );
        if self.not_found > 0 {
            let pairs = counted(self.not_found, "pair is", "pairs are");
            info!("{pairs} left out, whose positive was not found");
        }
    }
}
