use std::collections::{HashMap, HashSet};

use pairmill_schema::{Sameness, TextKey, counted};
use pairmill_tables::{ColumnNames, KeptColumns, Table};
use rand::seq::SliceRandom;
use serde::Serialize;
use tracing::warn;

use crate::categories::Categories;
use crate::input::{Input, Kept, Row};
use crate::negatives::NegativePool;
use crate::pairing::circular_pairs;
use crate::split::Group;
use crate::{Fractions, GenerateError, IntakeOptions, Result, Split, TimeSplit, draw};

/// Judgements of a split where nothing else is asked for: some hundred queries even where a
/// category has ten thousand tickets, and seconds to write and to read.
pub const MAX_JUDGEMENTS: u64 = 5_000_000;

/// The options that shape what is made of tickets.
#[derive(Debug, Clone, Serialize)]
pub struct TicketsOptions {
    /// Positive pairs to make at most.
    pub max_pairs: usize,
    /// Random negatives for each positive in the labelled pairs.
    pub negatives_per_positive: usize,
    /// Judgements of dev and of test at most: beyond, fewer texts are queries.
    pub max_judgements: u64,
    /// Fractions of the distinct texts.
    pub split: Fractions,
    /// When the texts of two tickets, or two categories, are one.
    pub same_text: Sameness,
    /// Rows to use at most.
    pub limit: Option<usize>,
    /// The input's column of ids, if not `id`.
    pub id_column: Option<String>,
    /// The input's column of texts, if not `text`.
    pub text_column: Option<String>,
    /// The input's column of categories, if not `category`.
    pub category_column: Option<String>,
    /// Other columns of the input that go along to the pairs.
    #[serde(skip_serializing_if = "KeptColumns::is_none")]
    pub kept: KeptColumns,
    /// Which rows are used, and what becomes of them first.
    #[serde(flatten)]
    pub intake: IntakeOptions,
}

impl Default for TicketsOptions {
    fn default() -> Self {
        Self {
            max_pairs: 10_000,
            negatives_per_positive: 1,
            max_judgements: MAX_JUDGEMENTS,
            split: Fractions::default(),
            same_text: Sameness::default(),
            limit: None,
            id_column: None,
            text_column: None,
            category_column: None,
            kept: KeptColumns::None,
            intake: IntakeOptions::default(),
        }
    }
}

impl TicketsOptions {
    pub(crate) fn input<'a>(&'a self, path: &'a str) -> Input<'a> {
        Input {
            path,
            table: Table::Tickets,
            columns: ["text", "category"],
            names: ColumnNames::new([
                ("id", self.id_column.as_deref()),
                ("text", self.text_column.as_deref()),
                ("category", self.category_column.as_deref()),
            ]),
            kept: &self.kept,
            intake: &self.intake,
        }
    }
}

/// A row of the input.
#[derive(Debug)]
pub(crate) struct Ticket {
    pub id: String,
    pub text: String,
    pub category: u32,
    /// Its distinct text.
    pub text_at: u32,
    pub kept: Kept,
}

/// A text, the same one for several tickets perhaps.
#[derive(Debug)]
pub(crate) struct Text {
    pub split: Split,
    /// The ticket of the smallest id.
    pub ticket: u32,
    /// The categories of all its tickets, in order.
    pub categories: Vec<u32>,
}

/// Tickets ordered by id, with what follows from their texts and categories. Tickets are pointed
/// to by index, so that order of index is order of id.
#[derive(Debug)]
pub(crate) struct TicketSet {
    pub tickets: Vec<Ticket>,
    /// In order of their first ticket.
    pub texts: Vec<Text>,
    /// Names, in order.
    pub categories: Vec<String>,
    /// How many categories are spelled in several ways.
    pub categories_respelled: usize,
    /// For each split and category one ticket of each distinct text, in order.
    pub members: [Vec<Vec<u32>>; 3],
    /// For each split the positive pairs, in order.
    pub positives: [Vec<(u32, u32)>; 3],
    pub negatives_per_positive: usize,
    pub max_judgements: u64,
    pub seed: u64,
    /// Where the splits are parted in time, if they are.
    pub time: Option<TimeSplit>,
}

impl TicketSet {
    /// Sorts out rows ordered by id.
    pub fn new(rows: Vec<Row>, options: &TicketsOptions, input: &str, seed: u64) -> Result<Self> {
        let mut set = Self {
            tickets: Vec::with_capacity(rows.len()),
            texts: Vec::new(),
            categories: Vec::new(),
            categories_respelled: 0,
            members: Default::default(),
            positives: Default::default(),
            negatives_per_positive: options.negatives_per_positive,
            max_judgements: options.max_judgements,
            seed,
            time: None,
        };
        set.add(rows, options);
        if let [category] = set.categories.as_slice() {
            return Err(GenerateError::OneCategory {
                input: input.to_owned(),
                category: category.clone(),
            });
        }
        set.group();
        set.pair(options.max_pairs);
        if set.positives_of(Split::Train).is_empty() {
            return Err(GenerateError::NoPairs {
                input: input.to_owned(),
                categories: set.categories.len(),
            });
        }
        set.check(input, options.split)?;
        Ok(set)
    }

    fn add(&mut self, rows: Vec<Row>, options: &TicketsOptions) {
        let given = rows.iter().map(|row| row.texts[1].as_str());
        let categories = Categories::new(given, options.same_text);
        categories.warn();
        let numbers = rows.iter().map(|row| categories.number(&row.texts[1]));
        let numbers: Vec<u32> = numbers.collect();
        self.categories_respelled = categories.respelled();
        self.categories = categories.names;
        let mut known = HashMap::new();
        // The least key of each text's spellings, which tells its split whatever the ids are.
        let mut groups: Vec<Group> = Vec::new();
        for (row, category) in rows.into_iter().zip(numbers) {
            let [text, _] = row.texts;
            let spelling = TextKey::identical(&text);
            let key = match options.same_text {
                Sameness::Identical => spelling,
                sameness => TextKey::new(&text, sameness),
            };
            let ticket = self.tickets.len() as u32;
            let text_at = *known.entry(key).or_insert_with(|| {
                self.texts.push(Text {
                    split: Split::Train,
                    ticket,
                    categories: Vec::new(),
                });
                groups.push(Group {
                    key: spelling,
                    time: row.time,
                });
                self.texts.len() as u32 - 1
            });
            groups[text_at as usize].add(spelling, row.time);
            self.texts[text_at as usize].categories.push(category);
            self.tickets.push(Ticket {
                id: row.id,
                text,
                category,
                text_at,
                kept: row.kept,
            });
        }
        let time_column = options.intake.split_by_time.as_deref();
        let splits;
        (splits, self.time) = options.split.splits(self.seed, &groups, time_column);
        for (text, split) in self.texts.iter_mut().zip(splits) {
            text.split = split;
            text.categories.sort_unstable();
            text.categories.dedup();
        }
        let ambiguous = self.ambiguous_texts();
        if ambiguous > 0 {
            warn!(
                "{} under more than one category; such a text is relevant to each, and a negative of none",
                counted(ambiguous, "text stands", "texts stand")
            );
        }
    }

    fn group(&mut self) {
        self.members = std::array::from_fn(|_| vec![Vec::new(); self.categories.len()]);
        let mut seen = HashSet::new();
        for (at, ticket) in self.tickets.iter().enumerate() {
            if seen.insert((ticket.text_at, ticket.category)) {
                let split = self.texts[ticket.text_at as usize].split;
                self.members[split as usize][ticket.category as usize].push(at as u32);
            }
        }
    }

    /// Pairs the tickets of each split. Train is filled up to `max_pairs`; dev and test, which only
    /// measure, get one round.
    fn pair(&mut self, max_pairs: usize) {
        for split in Split::ALL {
            let mut circles = self.members[split as usize].clone();
            for (circle, category) in circles.iter_mut().zip(&self.categories) {
                let key = [split.name().as_bytes(), category.as_bytes()];
                circle.shuffle(&mut draw::generator(self.seed, "pairs", &key));
            }
            let rounds = if split == Split::Train { usize::MAX } else { 1 };
            let mut pairs = circular_pairs(&circles, rounds, max_pairs);
            pairs.sort_unstable();
            if pairs.is_empty() && split != Split::Train {
                warn!("no category has two texts in {split}: labeled_{split} is empty");
            }
            self.positives[split as usize] = pairs;
        }
    }

    fn check(&self, input: &str, fractions: Fractions) -> Result<()> {
        for split in [Split::Dev, Split::Test] {
            if self.queries(split).next().is_none() {
                return Err(GenerateError::EmptySplit {
                    input: input.to_owned(),
                    split,
                    found: format!(
                        "{} with {}",
                        counted(self.tickets.len(), "row", "rows"),
                        counted(self.texts.len(), "distinct text", "distinct texts")
                    ),
                    more: "rows",
                    fractions,
                });
            }
        }
        Ok(())
    }

    pub fn text_of(&self, ticket: u32) -> &Text {
        &self.texts[self.tickets[ticket as usize].text_at as usize]
    }

    pub fn texts_of(&self, split: Split) -> impl Iterator<Item = &Text> {
        self.texts.iter().filter(move |text| text.split == split)
    }

    /// Returns the texts of a split that something in train is relevant to.
    pub fn queries(&self, split: Split) -> impl Iterator<Item = &Text> {
        let train = &self.members[Split::Train as usize];
        self.texts_of(split).filter(|text| {
            let mut categories = text.categories.iter();
            categories.any(|&category| !train[category as usize].is_empty())
        })
    }

    /// Returns those queries of a split that are judged, in order: all, or where their judgements
    /// would be more than `max_judgements`, as many as make no more, at least one, drawn evenly.
    /// Judging all of some says more than some of the judgements of all: what is not judged counts
    /// as wrong.
    pub fn judged(&self, split: Split, relevant: &[Vec<u32>]) -> Vec<&Text> {
        let mut queries: Vec<&Text> = self.queries(split).collect();
        let documents = |text: &Text| -> u64 {
            let of_category = |&category: &u32| relevant[category as usize].len() as u64;
            text.categories.iter().map(of_category).sum()
        };
        let all: u64 = queries.iter().map(|text| documents(text)).sum();
        if all <= self.max_judgements {
            return queries;
        }
        queries.sort_by_cached_key(|text| {
            let id = self.tickets[text.ticket as usize].id.as_bytes();
            draw::number(self.seed, "judged", &[split.name().as_bytes(), id])
        });
        let mut judgements = 0;
        let within = queries.iter().take_while(|text| {
            judgements += documents(text);
            judgements <= self.max_judgements
        });
        let within = within.count().max(1);
        queries.truncate(within);
        queries.sort_unstable_by_key(|text| text.ticket);
        queries
    }

    pub fn positives_of(&self, split: Split) -> &[(u32, u32)] {
        &self.positives[split as usize]
    }

    pub fn ambiguous_texts(&self) -> usize {
        let ambiguous = |text: &&Text| text.categories.len() > 1;
        self.texts.iter().filter(ambiguous).count()
    }

    pub fn categories_without_pair(&self) -> usize {
        let train = &self.members[Split::Train as usize];
        train.iter().filter(|members| members.len() < 2).count()
    }

    /// Returns what negatives of a split are drawn from: one ticket of each text of one category.
    pub fn negative_pool(&self, split: Split) -> NegativePool {
        let unambiguous = |&&ticket: &&u32| self.text_of(ticket).categories.len() == 1;
        NegativePool::new(self.members[split as usize].iter().map(|members| {
            let members = members.iter().filter(unambiguous);
            members.copied().collect::<Vec<_>>()
        }))
    }

    /// Returns the labelled partners of an anchor whose positives are given, in order: 1 for these,
    /// 0 for negatives, as many for each positive as asked for or as there are.
    pub fn labels(
        &self,
        split: Split,
        anchor: u32,
        positives: &[(u32, u32)],
        pool: &NegativePool,
    ) -> Vec<(u32, u8)> {
        let wanted = self.negatives_per_positive.saturating_mul(positives.len());
        let id = self.tickets[anchor as usize].id.as_bytes();
        let mut chance = draw::generator(self.seed, "negatives", &[split.name().as_bytes(), id]);
        let negatives = pool.draw(&self.text_of(anchor).categories, wanted, &mut chance);
        let mut labels: Vec<(u32, u8)> = positives.iter().map(|&(_, at)| (at, 1)).collect();
        labels.extend(negatives.into_iter().map(|at| (at, 0)));
        labels.sort_unstable();
        labels
    }

    /// Returns for each category the tickets of train whose text has it, under whatever category
    /// they stand themselves.
    pub fn relevant(&self) -> Vec<Vec<u32>> {
        let mut relevant = vec![Vec::new(); self.categories.len()];
        for (at, ticket) in self.tickets.iter().enumerate() {
            let text = &self.texts[ticket.text_at as usize];
            if text.split == Split::Train {
                for &category in &text.categories {
                    relevant[category as usize].push(at as u32);
                }
            }
        }
        relevant
    }
}
