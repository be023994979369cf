use std::collections::HashSet;

use pairmill_metrics::{Confusion, Scores};
use pairmill_modeling::Side;
use pairmill_tables::{ColumnNames, Table, string_column};

use crate::embeddings::Embeddings;
use crate::encoder::Encoder;
use crate::reader::Reader;
use crate::search::Search;
use crate::{Evaluation, Frame, Models, Result};

/// The figures, chief one first.
pub(super) const METRICS: [&str; 4] = [
    "knn_accuracy",
    "knn_macro_f1",
    "centroid_accuracy",
    "centroid_macro_f1",
];

/// Neighbours that vote.
const NEIGHBOURS: usize = 10;

const METHOD: &str = "`knn` takes the most frequent category among the 10 training tickets of \
highest cosine, and of equally frequent ones that of the nearest ticket. `centroid` takes the \
category whose mean embedding has the highest cosine. Macro F1 weighs every category the same.";

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
}

impl Classification {
    pub(crate) fn run(&self, frame: &Frame) -> Result<Evaluation> {
        frame.run(
            "classification",
            METHOD,
            &(self.models.options(), &self.names),
            |lineage| {
                let train = lineage.with_input("train", &self.train)?;
                self.models.add_to(train.with_input("test", &self.test)?)
            },
            |_| {
                let reader = Reader::new(frame.threads)?;
                let tickets = Tickets {
                    train: self.read(&reader, &self.train)?,
                    test: self.read(&reader, &self.test)?,
                };
                let categories = tickets.categories();
                let counts = self.count(&tickets, categories.len());
                let encoders = self.models.load()?;
                let scores = encoders.try_map(|encoder| tickets.classify(&categories, encoder))?;
                Ok(Evaluation::new("classification", scores, counts))
            },
        )
    }

    /// Tickets in an order that does not depend on that of the input, because it breaks ties.
    fn read(&self, reader: &Reader, input: &str) -> Result<Vec<Ticket>> {
        let mut tickets = Vec::new();
        let columns = ["text", "category"];
        reader.for_each(input, Table::Tickets, &self.names, &columns, |batch| {
            let columns = columns.map(|name| string_column(batch, name));
            for row in 0..batch.num_rows() {
                let [text, category] = columns.map(|column| column.value(row).to_owned());
                tickets.push(Ticket { text, category });
            }
            Ok(())
        })?;
        tickets.sort_unstable();
        Ok(tickets)
    }

    fn count(&self, tickets: &Tickets, categories: usize) -> [(&'static str, usize); 4] {
        let known: HashSet<&str> = tickets
            .train
            .iter()
            .map(|row| row.category.as_str())
            .collect();
        let unknown = tickets
            .test
            .iter()
            .filter(|row| !known.contains(row.category.as_str()))
            .count();
        if unknown > 0 {
            tracing::warn!(
                "{unknown} of {} tickets of {} have a category that {} lacks; they count as wrong",
                tickets.test.len(),
                self.test,
                self.train
            );
        }
        [
            ("train_tickets", tickets.train.len()),
            ("test_tickets", tickets.test.len()),
            ("categories", categories),
            ("test_tickets_of_unknown_category", unknown),
        ]
    }
}

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Ticket {
    text: String,
    category: String,
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

    fn classify(&self, categories: &[&str], encoder: &Encoder) -> Result<Scores> {
        let rows = self.train.iter().chain(&self.test);
        let texts: Vec<&str> = rows.map(|row| row.text.as_str()).collect();
        let embeddings = encoder.embed_all(&texts, Side::Text)?;
        let (train_rows, test_rows): (Vec<usize>, Vec<usize>) =
            (0..texts.len()).partition(|&row| row < self.train.len());
        let (train, test) = (
            embeddings.select(&train_rows),
            embeddings.select(&test_rows),
        );
        let number = |row: &Ticket| {
            categories
                .binary_search(&row.category.as_str())
                .expect("every category is listed")
        };
        let known: Vec<usize> = self.train.iter().map(number).collect();
        let truth: Vec<usize> = self.test.iter().map(number).collect();
        let knn = Confusion::new(
            &truth,
            &nearest_neighbours(&train, &known, &test),
            categories.len(),
        );
        let centroid = Confusion::new(
            &truth,
            &nearest_centroid(&train, &known, &test),
            categories.len(),
        );
        let values = [
            knn.accuracy(),
            knn.macro_f1(),
            centroid.accuracy(),
            centroid.macro_f1(),
        ];
        Ok(METRICS.into_iter().zip(values).collect())
    }
}

/// The class of each test row by the vote of its nearest training rows.
fn nearest_neighbours(train: &Embeddings, classes: &[usize], test: &Embeddings) -> Vec<usize> {
    let mut search = Search::new(test, NEIGHBOURS.min(train.len()));
    let keys: Vec<u32> = (0..train.len() as u32).collect();
    search.add(train, &keys);
    search
        .finish()
        .iter()
        .map(|hits| {
            let votes: Vec<usize> = hits.iter().map(|hit| classes[hit.key as usize]).collect();
            majority(&votes)
        })
        .collect()
}

/// The most frequent class; of equally frequent ones that of the earliest vote.
fn majority(votes: &[usize]) -> usize {
    let count = |class: usize| votes.iter().filter(|&&vote| vote == class).count();
    let mut best = votes[0];
    for &vote in votes {
        if count(vote) > count(best) {
            best = vote;
        }
    }
    best
}

/// The class of each test row by the highest cosine with the mean of a class; of equal ones the
/// lowest class.
fn nearest_centroid(train: &Embeddings, classes: &[usize], test: &Embeddings) -> Vec<usize> {
    let dimension = train.dimension();
    let mut known = classes.to_vec();
    known.sort_unstable();
    known.dedup();
    let mut sums = vec![0f64; known.len() * dimension];
    for (vector, class) in train.rows().zip(classes) {
        let at = known.partition_point(|other| other < class) * dimension;
        for (sum, &value) in sums[at..at + dimension].iter_mut().zip(vector) {
            *sum += f64::from(value);
        }
    }
    let sums = sums.into_iter().map(|sum| sum as f32).collect();
    let centroids =
        Embeddings::normalised(sums, dimension).expect("sums of unit vectors are finite");
    let mut search = Search::new(test, 1);
    let keys: Vec<u32> = (0..known.len() as u32).collect();
    search.add(&centroids, &keys);
    search
        .finish()
        .iter()
        .map(|hits| known[hits[0].key as usize])
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unit(angles: &[f32]) -> Embeddings {
        let values = angles
            .iter()
            .flat_map(|angle| [angle.cos(), angle.sin()])
            .collect();
        Embeddings::normalised(values, 2).unwrap()
    }

    #[test]
    fn the_nearest_decides_where_votes_are_equal() {
        assert_eq!(majority(&[1, 0, 0, 1]), 1);
        assert_eq!(majority(&[1, 0, 0]), 0);
        assert_eq!(majority(&[2]), 2);
    }

    #[test]
    fn neighbours_vote_and_centroids_average() {
        // Class 0 lies around 0.0 with a stray member; class 3 around 1.5.
        let train = unit(&[0.0, 0.1, -0.1, 1.3, 1.4, 1.5, 1.6]);
        let classes = [0, 0, 0, 0, 3, 3, 3];
        let test = unit(&[0.05, 1.45]);
        assert_eq!(nearest_centroid(&train, &classes, &test), [0, 3]);
        // All seven vote: class 0 has four.
        assert_eq!(nearest_neighbours(&train, &classes, &test), [0, 0]);
    }
}
