mod few_shot;
pub(crate) mod predictions;

use std::collections::HashSet;

use pairmill_modeling::Side;
use pairmill_schema::{TextKey, agreeing, counted, excerpt};
use pairmill_tables::{ColumnNames, Table, TableReader, string_column};
use serde::Serialize;

use crate::error::Result;
use crate::items::write::{Label, PER_ITEM, write_items};
use crate::models::encoder::Encoder;
use crate::models::options::Models;
use crate::results::evaluation::Evaluation;
use crate::results::names::data_name;
use crate::results::reporting::of_models;
use crate::results::run_options::RunOptions;
use crate::statistics::clusters::Clustering;
use few_shot::FewShot;
use predictions::{Method, Predictions, write_confusions};

/// Categories of tickets, told from their embeddings.
#[derive(Debug, Clone)]
pub struct Classification {
    /// The models.
    pub models: Models,
    /// Tickets whose categories are known.
    pub train: String,
    /// Tickets whose categories are to be told.
    pub test: String,
    /// Columns of both tables under other names.
    pub names: ColumnNames,
    /// Neighbours that vote.
    pub neighbours: usize,
    /// Training tickets to draw of each category; all of them if `None`.
    pub samples_per_label: Option<usize>,
    /// How often to draw them; the figures are means.
    pub experiments: usize,
    /// Column of the test tickets of which equal values make them one unit of the intervals and
    /// tests, such as their thread; without one, tickets of equal text are.
    pub cluster_column: Option<String>,
}

impl Classification {
    /// Evaluates. The output folder gets a table of which category was taken for which.
    pub(crate) fn run(&self, run_options: &RunOptions) -> Result<Evaluation> {
        #[derive(Serialize)]
        struct Options<'a, T> {
            #[serde(flatten)]
            models: T,
            names: &'a ColumnNames,
            neighbours: usize,
            samples_per_label: Option<usize>,
            experiments: usize,
            cluster_column: &'a Option<String>,
        }
        let options = Options {
            models: self.models.options(),
            names: &self.names,
            neighbours: self.neighbours,
            samples_per_label: self.samples_per_label,
            experiments: self.experiments,
            cluster_column: &self.cluster_column,
        };
        run_options.run(
            "classification",
            &self.method(),
            &options,
            |lineage| {
                let train = lineage.with_input("train", &self.train)?;
                self.models.add_to(train.with_input("test", &self.test)?)
            },
            |results| {
                let reader = TableReader::new(run_options.threads)?;
                let tickets = Tickets {
                    train: self.read(&reader, &self.train, None)?,
                    test: self.read(&reader, &self.test, self.cluster_column.as_deref())?,
                };
                let categories = tickets.categories();
                let known = tickets.classes(&tickets.train, &categories);
                let few_shot = match self.samples_per_label {
                    Some(samples) => {
                        FewShot::draw(&known, samples, self.experiments, run_options.settings.seed)
                    }
                    None => FewShot::all(known.len()),
                };
                let counts = self.count(&tickets, categories.len());
                let encoders = self.models.load()?;
                let predictions = encoders
                    .try_map(|encoder| self.predict(&tickets, &categories, &few_shot, encoder))?;
                let clustering = tickets.clustering(self.cluster_column.as_deref());
                let clustering = clustering.as_ref();
                if let Some(results) = results {
                    let target = results.folder.join("confusion.parquet");
                    write_confusions(&target, &predictions, &categories, results.lineage)?;
                    let labels = tickets.labels();
                    let (target, lineage) = (results.folder.join(PER_ITEM), results.lineage);
                    write_items(&target, &labels, &predictions, clustering, lineage)?;
                }
                let settings = &run_options.settings;
                let mut evaluation =
                    Evaluation::of("classification", &predictions, clustering, settings, counts);
                evaluation.warn(self.leaked(&tickets));
                evaluation.warn(encoders.warnings());
                evaluation.drawn = of_models(&self.models, "tickets")?;
                evaluation.drawn.data = data_name(&self.test);
                evaluation.drawn.confusion = Some(predictions.model.table(&categories));
                Ok(evaluation)
            },
        )
    }

    fn method(&self) -> String {
        let mut method = format!(
            "`knn` takes the most frequent category among the {} training tickets of highest \
             cosine, and of equally frequent ones that of the nearest ticket. `centroid` takes the \
             category whose mean embedding has the highest cosine. `logistic` is multinomial \
             logistic regression on the embeddings as the model gives them, with an L2 penalty \
             (C = 1). Macro F1 weighs every category the same.",
            self.neighbours
        );
        if let Some(samples) = self.samples_per_label {
            method += &format!(
                " Each figure is the mean of {} experiments with {samples} training tickets of \
                 each category, drawn at random.",
                self.experiments
            );
        }
        method
    }

    /// Tickets in an order that does not depend on that of the input, because it breaks ties.
    fn read(
        &self,
        reader: &TableReader,
        input: &str,
        cluster: Option<&str>,
    ) -> Result<Vec<Ticket>> {
        let mut tickets = Vec::new();
        let own = ["text", "category"];
        let columns: Vec<&str> = own.into_iter().chain(cluster).collect();
        reader.for_each(
            input,
            Table::Tickets,
            &self.names,
            &columns,
            |batch| -> Result<()> {
                let columns = own.map(|name| string_column(batch, name));
                let clusters = cluster.map(|name| string_column(batch, name));
                for row in 0..batch.num_rows() {
                    let [text, category] = columns.map(|column| column.value(row).to_owned());
                    tickets.push(Ticket {
                        text,
                        category,
                        cluster: clusters.map(|clusters| clusters.value(row).to_owned()),
                    });
                }
                Ok(())
            },
        )?;
        tickets.sort_unstable();
        Ok(tickets)
    }

    /// What to say of test texts that are among the training texts.
    fn leaked(&self, tickets: &Tickets) -> Option<String> {
        let leaked = tickets.leaked();
        let first = leaked.first()?;
        let excerpt = excerpt(&first.text, 60);
        Some(format!(
            "{} of {} of {} {} a text that {} holds too, but for case, punctuation and \
             white space (the first: `{excerpt}`), so the figures are too high for new ones; leave \
             them out of one of both",
            leaked.len(),
            counted(tickets.test.len(), "ticket", "tickets"),
            self.test,
            agreeing(leaked.len(), "has", "have"),
            self.train
        ))
    }

    fn count(&self, tickets: &Tickets, categories: usize) -> [(&'static str, usize); 5] {
        let train = tickets.train.iter();
        let known: HashSet<&str> = train.map(|row| row.category.as_str()).collect();
        let test = tickets.test.iter();
        let unknown = test
            .filter(|row| !known.contains(row.category.as_str()))
            .count();
        if unknown > 0 {
            tracing::warn!(
                "{unknown} of {} of {} {} as wrong, with a category that {} lacks",
                counted(tickets.test.len(), "ticket", "tickets"),
                self.test,
                agreeing(unknown, "counts", "count"),
                self.train
            );
        }
        [
            ("train_tickets", tickets.train.len()),
            ("test_tickets", tickets.test.len()),
            ("categories", categories),
            ("test_tickets_of_unknown_category", unknown),
            ("test_tickets_that_train_holds", tickets.leaked().len()),
        ]
    }

    fn predict(
        &self,
        tickets: &Tickets,
        categories: &[&str],
        few_shot: &FewShot,
        encoder: &Encoder,
    ) -> Result<Predictions> {
        let rows = tickets.train.iter().chain(&tickets.test);
        let texts: Vec<&str> = rows.map(|row| row.text.as_str()).collect();
        let embeddings = encoder.embed_raw(&texts, Side::Text, &encoder.progress(&texts))?;
        let known = tickets.classes(&tickets.train, categories);
        let test_rows: Vec<usize> = (known.len()..texts.len()).collect();
        let test = embeddings.select(&test_rows);
        let mut predictions =
            Predictions::new(tickets.classes(&tickets.test, categories), categories.len());
        for rows in &few_shot.experiments {
            let train = embeddings.select(rows);
            let classes: Vec<usize> = rows.iter().map(|&row| known[row]).collect();
            for method in Method::ALL {
                let predicted = method.predict(&train, &classes, &test, self.neighbours);
                predictions.add(method, predicted);
            }
        }
        Ok(predictions)
    }
}

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Ticket {
    text: String,
    category: String,
    cluster: Option<String>,
}

struct Tickets {
    train: Vec<Ticket>,
    test: Vec<Ticket>,
}

impl Tickets {
    /// All categories in ascending order.
    fn categories(&self) -> Vec<&str> {
        let rows = self.train.iter().chain(&self.test);
        let mut categories: Vec<&str> = rows.map(|row| row.category.as_str()).collect();
        categories.sort_unstable();
        categories.dedup();
        categories
    }

    /// Which test tickets are alike: those that have the same in this column, else those of one
    /// text.
    fn clustering(&self, column: Option<&str>) -> Option<Clustering> {
        match column {
            Some(column) => {
                let values: Vec<_> = self.test.iter().map(|row| &row.cluster).collect();
                Clustering::of_values(&values, format!("have the same `{column}`"))
            }
            None => {
                let texts = self.test.iter().map(|row| TextKey::equivalent(&row.text));
                let texts: Vec<TextKey> = texts.collect();
                Clustering::of_values(&texts, "have the same text")
            }
        }
    }

    /// The test tickets whose texts are among the training texts.
    fn leaked(&self) -> Vec<&Ticket> {
        let known = self.train.iter().map(|row| TextKey::equivalent(&row.text));
        let known: HashSet<TextKey> = known.collect();
        let test = self.test.iter();
        test.filter(|row| known.contains(&TextKey::equivalent(&row.text)))
            .collect()
    }

    /// What is written of each test ticket beside what it was taken for.
    fn labels(&self) -> Vec<Label<'_>> {
        vec![
            Label {
                name: "text",
                values: self.test.iter().map(|row| row.text.as_str()).collect(),
            },
            Label {
                name: "truth",
                values: self.test.iter().map(|row| row.category.as_str()).collect(),
            },
        ]
    }

    /// The place of each row's category among all.
    fn classes(&self, rows: &[Ticket], categories: &[&str]) -> Vec<usize> {
        rows.iter()
            .map(|row| categories.partition_point(|category| *category < row.category.as_str()))
            .collect()
    }
}
