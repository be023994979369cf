use std::collections::{BTreeSet, HashMap};

use pairmill_report::format::cut;
use pairmill_report::markdown::one_line;
use pairmill_tables::Qrels;
use serde::{Deserialize, Serialize};

use crate::paired::Paired;
use crate::ranked::ranking::Ranking;
use crate::report;
use crate::statistics::sample::{Means, Sample};

/// Results shown of a query.
const SHOWN: usize = 5;
/// Characters shown of a document.
const EXCERPT: usize = 240;

/// A query that people should look at, with what was found for it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Example {
    /// The query's id.
    pub query_id: String,
    /// Its text.
    pub query: String,
    /// The chief metric by the model.
    pub model: f64,
    /// The chief metric by the baseline, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub baseline: Option<f64>,
    /// The relevant documents, best grade first, with the ranks they got.
    pub relevant: Vec<Relevant>,
    /// The first results of the model.
    pub model_results: Vec<Shown>,
    /// The first results of the baseline.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub baseline_results: Vec<Shown>,
}

/// A relevant document and where it was found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Relevant {
    /// The document's id.
    pub corpus_id: String,
    /// Its beginning; empty where the corpus lacks it.
    pub text: String,
    /// How relevant it is.
    pub grade: i32,
    /// Its rank by the model, if it is among the results.
    pub model_rank: Option<usize>,
    /// Its rank by the baseline.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub baseline_rank: Option<usize>,
}

/// A result as it is shown.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Shown {
    /// The rank, from 1.
    pub rank: usize,
    /// The document's id.
    pub corpus_id: String,
    /// The beginning of its title and text.
    pub text: String,
    /// Its grade, 0 where it is not judged.
    pub grade: i32,
    /// Its score.
    pub score: f32,
}

/// The queries that gained most and lost most against the baseline; without one, those that the
/// model serves worst.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Examples {
    /// The metric they were chosen by.
    pub metric: String,
    /// The largest gain first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub gained: Vec<Example>,
    /// The largest loss first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lost: Vec<Example>,
    /// The lowest figure first, where there is no baseline.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lowest: Vec<Example>,
}

impl Examples {
    /// Chooses up to `most` of each kind by the chief metric; equal ones in the order of the
    /// queries. `texts` has the texts of the queries.
    pub(crate) fn choose(
        most: usize,
        texts: &[&str],
        qrels: &Qrels,
        rankings: &Paired<Ranking>,
        scores: &Paired<Means>,
    ) -> Self {
        let Some(metric) = scores.model.metrics().into_iter().next() else {
            return Self::default();
        };
        let model = scores.model.values(0).unwrap_or_default();
        let baseline = scores.baseline.as_ref().and_then(|one| one.values(0));
        let example = |&query: &usize| {
            let id = &rankings.model.queries[query];
            let baseline_run = rankings.baseline.as_ref();
            Example {
                query_id: id.clone(),
                query: texts[query].to_owned(),
                model: model[query],
                baseline: baseline.as_ref().map(|values| values[query]),
                relevant: relevant(query, id, qrels, rankings),
                model_results: shown(&rankings.model, query, qrels),
                baseline_results: baseline_run
                    .map_or_else(Vec::new, |run| shown(run, query, qrels)),
            }
        };
        match &baseline {
            Some(baseline) => {
                let [gained, lost] = most_changed(&model, baseline, most);
                Self {
                    metric,
                    gained: gained.iter().map(example).collect(),
                    lost: lost.iter().map(example).collect(),
                    lowest: Vec::new(),
                }
            }
            None => {
                let mut order: Vec<usize> = (0..model.len()).collect();
                order.sort_by(|&a, &b| model[a].total_cmp(&model[b]));
                let lowest = order.iter().take_while(|&&query| model[query] < 1.0);
                Self {
                    metric,
                    lowest: lowest.take(most).map(example).collect(),
                    ..Self::default()
                }
            }
        }
    }

    /// As the report shows them. Without a baseline there is nothing that changed.
    pub(crate) fn report(&self) -> Option<report::Examples> {
        // The first results, then the relevant documents that came later or not at all.
        let shown =
            |results: &[Shown], relevant: &[Relevant], rank: fn(&Relevant) -> Option<usize>| {
                let first = results.iter().map(|one| report::FoundDocument {
                    rank: Some(one.rank as u32),
                    id: one.corpus_id.clone(),
                    text: one.text.clone(),
                    grade: (one.grade != 0).then_some(one.grade),
                });
                let is_shown = |id: &String| results.iter().any(|one| one.corpus_id == *id);
                let mut later: Vec<&Relevant> = relevant.iter().collect();
                later.retain(|one| !is_shown(&one.corpus_id));
                later.sort_by_key(|one| rank(one).unwrap_or(usize::MAX));
                let later = later.into_iter().map(|one| report::FoundDocument {
                    rank: rank(one).map(|rank| rank as u32),
                    id: one.corpus_id.clone(),
                    text: one.text.clone(),
                    grade: Some(one.grade),
                });
                first.chain(later).collect()
            };
        let example = |one: &Example| report::Example {
            id: one.query_id.clone(),
            text: one.query.clone(),
            before: one.baseline.unwrap_or(f64::NAN),
            after: one.model,
            results_before: shown(&one.baseline_results, &one.relevant, |one| {
                one.baseline_rank
            }),
            results_after: shown(&one.model_results, &one.relevant, |one| one.model_rank),
        };
        let changed = !(self.gained.is_empty() && self.lost.is_empty());
        changed.then(|| report::Examples {
            metric: self.metric.clone(),
            gained: self.gained.iter().map(example).collect(),
            lost: self.lost.iter().map(example).collect(),
        })
    }

    /// The documents whose texts are shown.
    pub(crate) fn documents(&self) -> BTreeSet<String> {
        let examples = [&self.gained, &self.lost, &self.lowest];
        let ids = examples.into_iter().flatten().flat_map(|example| {
            let results = example
                .model_results
                .iter()
                .chain(&example.baseline_results);
            let relevant = example.relevant.iter().map(|one| &one.corpus_id);
            results.map(|one| &one.corpus_id).chain(relevant)
        });
        ids.cloned().collect()
    }

    /// Fills in the texts of the documents.
    pub(crate) fn fill(&mut self, texts: &HashMap<String, String>) {
        let text = |id: &String| {
            texts
                .get(id)
                .map_or_else(String::new, |text| beginning(text))
        };
        for example in [&mut self.gained, &mut self.lost, &mut self.lowest]
            .into_iter()
            .flatten()
        {
            let results = example.model_results.iter_mut();
            for one in results.chain(&mut example.baseline_results) {
                one.text = text(&one.corpus_id);
            }
            for one in &mut example.relevant {
                one.text = text(&one.corpus_id);
            }
        }
    }
}

/// The places of the values that rose most and of those that fell most, up to `most` of each, the
/// greatest change first and equal ones in their order.
pub(crate) fn most_changed(after: &[f64], before: &[f64], most: usize) -> [Vec<usize>; 2] {
    [1.0, -1.0].map(|sign| {
        let change = |&place: &usize| sign * (after[place] - before[place]);
        let mut changed: Vec<usize> = (0..after.len()).filter(|one| change(one) > 0.0).collect();
        changed.sort_by(|a, b| change(b).total_cmp(&change(a)));
        changed.truncate(most);
        changed
    })
}

fn relevant(query: usize, id: &str, qrels: &Qrels, rankings: &Paired<Ranking>) -> Vec<Relevant> {
    let Some(judged) = qrels.of(id) else {
        return Vec::new();
    };
    let rank = |run: &Ranking, document: &str| {
        let position = run.hits[query]
            .iter()
            .position(|hit| run.documents[hit.key as usize] == document);
        position.map(|place| place + 1)
    };
    let mut relevant: Vec<Relevant> = judged
        .iter()
        .filter(|&(_, grade)| grade > 0)
        .map(|(document, grade)| Relevant {
            corpus_id: document.to_owned(),
            text: String::new(),
            grade,
            model_rank: rank(&rankings.model, document),
            baseline_rank: rankings
                .baseline
                .as_ref()
                .and_then(|run| rank(run, document)),
        })
        .collect();
    relevant.sort_by(|a, b| b.grade.cmp(&a.grade).then(a.corpus_id.cmp(&b.corpus_id)));
    relevant.truncate(SHOWN);
    relevant
}

fn shown(run: &Ranking, query: usize, qrels: &Qrels) -> Vec<Shown> {
    let judged = qrels.of(&run.queries[query]);
    (1..=SHOWN)
        .zip(&run.hits[query])
        .map(|(rank, hit)| {
            let document = &run.documents[hit.key as usize];
            Shown {
                rank,
                corpus_id: document.clone(),
                text: String::new(),
                grade: judged.and_then(|judged| judged.get(document)).unwrap_or(0),
                score: hit.score,
            }
        })
        .collect()
}

/// The beginning of a text, with blanks for line breaks.
fn beginning(text: &str) -> String {
    let line = one_line(text);
    cut(&line, EXCERPT).unwrap_or(line)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::ranked::judgements::tests::qrels;
    use pairmill_retrieval::Hit;

    fn run(found: [u32; 3]) -> Ranking {
        Ranking {
            documents: Arc::new(["a", "b", "c"].map(str::to_owned).to_vec()),
            queries: ["q1", "q2", "q3"].map(str::to_owned).to_vec(),
            hits: found
                .map(|key| vec![Hit { key, score: 0.5 }])
                .into_iter()
                .collect(),
        }
    }

    fn chosen(baseline: Option<[u32; 3]>) -> Examples {
        let qrels = qrels([
            ("q1", "a", 1),
            ("q2", "b", 1),
            ("q3", "c", 2),
            ("q3", "a", 1),
        ]);
        let rankings = Paired {
            model: run([0, 0, 2]),
            baseline: baseline.map(run),
        };
        let scores = rankings.map(|run| run.assess(&qrels, &["mrr@10".parse().unwrap()]));
        let texts = ["first", "second", "third"];
        Examples::choose(1, &texts, &qrels, &rankings, &scores)
    }

    #[test]
    fn those_that_changed_most_are_chosen() {
        let found = chosen(Some([1, 1, 2]));
        assert_eq!(found.metric, "mrr@10");
        let ids = |examples: &[Example]| -> Vec<String> {
            examples.iter().map(|one| one.query_id.clone()).collect()
        };
        assert_eq!(ids(&found.gained), ["q1"]);
        assert_eq!(ids(&found.lost), ["q2"]);
        assert!(found.lowest.is_empty());
        let gained = &found.gained[0];
        assert_eq!((gained.baseline, gained.model), (Some(0.0), 1.0));
        assert_eq!(gained.query, "first");
        assert_eq!(gained.relevant[0].model_rank, Some(1));
        assert_eq!(gained.relevant[0].baseline_rank, None);
        assert_eq!(gained.baseline_results[0].corpus_id, "b");
        assert_eq!(gained.model_results[0].grade, 1);
        let page = found.report().unwrap();
        let places = |found: &[report::FoundDocument]| -> Vec<(Option<u32>, String)> {
            let place = |one: &report::FoundDocument| (one.rank, one.id.clone());
            found.iter().map(place).collect()
        };
        let before = [(Some(1), "b".to_owned()), (None, "a".to_owned())];
        assert_eq!(places(&page.gained[0].results_before), before);
        assert_eq!(
            places(&page.gained[0].results_after),
            [(Some(1), "a".to_owned())]
        );
    }

    #[test]
    fn without_a_baseline_the_lowest_are_chosen_and_texts_filled_in() {
        let mut found = chosen(None);
        assert_eq!(found.lowest[0].query_id, "q2");
        assert!(found.gained.is_empty() && found.lost.is_empty());
        assert_eq!(
            found.documents().into_iter().collect::<Vec<_>>(),
            ["a", "b"]
        );
        let long = "word ".repeat(100);
        let texts = [("a", "Some\ntext"), ("b", long.as_str())];
        found.fill(
            &texts
                .map(|(id, text)| (id.to_owned(), text.to_owned()))
                .into(),
        );
        assert_eq!(found.lowest[0].model_results[0].text, "Some text");
        assert!(found.lowest[0].relevant[0].text.ends_with('…'));
    }
}
