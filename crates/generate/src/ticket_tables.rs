use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use pairmill_cli::Progress;
use pairmill_schema::{agreeing, counted};
use pairmill_tables::{KeptColumns, Table};
use tracing::{info, warn};

use crate::summary::{Facts, Rows, SplitCounts, Summary};
use crate::tickets::{Ticket, TicketSet};
use crate::write::{Tables, pairs_schema};
use crate::{Result, Split};

/// Returns the schema of a corpus whose documents have a category: documents of one category are
/// relevant to each other, which qrels of train would need quadratic space to say.
fn corpus_schema() -> SchemaRef {
    let mut fields = Table::Corpus.schema().fields().to_vec();
    fields.push(Arc::new(Field::new("category", DataType::Utf8, false)));
    Arc::new(Schema::new(fields))
}

impl TicketSet {
    /// Writes all tables.
    pub fn write(&self, tables: &Tables, rows: Rows, kept: &KeptColumns) -> Result<Summary> {
        info!(
            "writing {}",
            counted(self.tickets.len(), "ticket", "tickets")
        );
        self.write_corpus(tables)?;
        let mut splits = BTreeMap::new();
        for split in Split::ALL {
            let mut counts = SplitCounts {
                texts: self.texts_of(split).count() as u64,
                ..SplitCounts::default()
            };
            self.write_tickets(tables, split)?;
            self.write_labeled(tables, split, &mut counts)?;
            splits.insert(split, counts);
        }
        self.write_pairs(tables, kept)?;
        let relevant = self.relevant();
        let mut queries_not_judged = 0;
        for (split, counts) in &mut splits {
            if *split != Split::Train {
                queries_not_judged += self.write_queries(tables, *split, &relevant, counts)?;
            }
        }
        let held_out = [Split::Dev, Split::Test].into_iter();
        let without_judgement = held_out.map(|split| {
            let texts = self.texts_of(split).count();
            texts - self.queries(split).count()
        });
        let facts = Facts::Tickets {
            texts: self.texts.len() as u64,
            categories: self.categories.len() as u64,
            ambiguous_texts: self.ambiguous_texts() as u64,
            categories_without_pair: self.categories_without_pair() as u64,
            texts_without_judgement: without_judgement.sum::<usize>() as u64,
            queries_not_judged,
            categories_respelled: self.categories_respelled as u64,
        };
        Ok(Summary {
            rows,
            facts,
            time: self.time.clone(),
            splits,
        })
    }

    fn tickets_of(&self, split: Split) -> impl Iterator<Item = &Ticket> {
        let of_split = move |ticket: &&Ticket| self.texts[ticket.text_at as usize].split == split;
        self.tickets.iter().filter(of_split)
    }

    fn category_of(&self, ticket: &Ticket) -> &str {
        &self.categories[ticket.category as usize]
    }

    fn write_corpus(&self, tables: &Tables) -> Result<()> {
        let mut corpus = tables.create("corpus", corpus_schema())?;
        for ticket in self.tickets_of(Split::Train) {
            corpus.push(&[&ticket.id, "", &ticket.text, self.category_of(ticket)])?;
        }
        corpus.finish()?;
        Ok(())
    }

    fn write_tickets(&self, tables: &Tables, split: Split) -> Result<()> {
        let mut table = tables.create(&format!("tickets_{split}"), Table::Tickets.schema())?;
        for ticket in self.tickets_of(split) {
            table.push(&[&ticket.id, &ticket.text, self.category_of(ticket)])?;
        }
        table.finish()?;
        Ok(())
    }

    fn write_pairs(&self, tables: &Tables, kept: &KeptColumns) -> Result<()> {
        let mut table = tables.create("pairs_train", pairs_schema(kept))?;
        for &(anchor, positive) in self.positives_of(Split::Train) {
            let [anchor, positive] = [anchor, positive].map(|at| &self.tickets[at as usize]);
            let row = [&anchor.id, &anchor.text, &positive.id, &positive.text];
            table.push_kept(&row.map(String::as_str), &anchor.kept)?;
        }
        table.finish()?;
        Ok(())
    }

    fn write_labeled(&self, tables: &Tables, split: Split, counts: &mut SplitCounts) -> Result<()> {
        let mut table = tables.create(&format!("labeled_{split}"), Table::LabeledPairs.schema())?;
        let pool = self.negative_pool(split);
        let positives = self.positives_of(split);
        for of_anchor in positives.chunk_by(|a, b| a.0 == b.0) {
            let anchor = &self.tickets[of_anchor[0].0 as usize];
            for (at, label) in self.labels(split, of_anchor[0].0, of_anchor, &pool) {
                let other = &self.tickets[at as usize];
                table.push_scored(&[&anchor.id, &anchor.text, &other.id, &other.text], label)?;
            }
        }
        counts.positives = positives.len() as u64;
        counts.negatives = table.finish()? - counts.positives;
        Ok(())
    }

    fn write_queries(
        &self,
        tables: &Tables,
        split: Split,
        relevant: &[Vec<u32>],
        counts: &mut SplitCounts,
    ) -> Result<u64> {
        let judged = self.judged(split, relevant);
        let all = self.queries(split).count();
        let not_judged = all - judged.len();
        if not_judged > 0 {
            warn!(
                "{} of {} of {split} {}, drawn at random: all would make more than {} judgements, as every ticket of train is relevant to those of its category (--max-judgements takes more)",
                judged.len(),
                counted(all, "text", "texts"),
                agreeing(judged.len(), "is a query", "are queries"),
                self.max_judgements
            );
        }
        let mut queries = tables.create(&format!("queries_{split}"), Table::Queries.schema())?;
        let mut qrels = tables.create(&format!("qrels_{split}"), Table::Qrels.schema())?;
        let progress = Progress::new(
            format!("judging {split}"),
            "queries",
            Some(judged.len() as u64),
        );
        for text in judged {
            let query = &self.tickets[text.ticket as usize];
            queries.push(&[&query.id, &query.text])?;
            let mut documents: Vec<u32> = text
                .categories
                .iter()
                .flat_map(|&category| relevant[category as usize].iter().copied())
                .collect();
            documents.sort_unstable();
            documents.dedup();
            for &at in &documents {
                qrels.push_scored(&[&query.id, &self.tickets[at as usize].id], 1)?;
            }
            progress.inc(1);
        }
        counts.queries = queries.finish()?;
        counts.judgements = qrels.finish()?;
        Ok(not_judged as u64)
    }
}
