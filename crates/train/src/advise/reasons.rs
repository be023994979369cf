//! The reasons of a verdict, each with its figure and what that is held against.

use pairmill_report::format::{count, figure, percent, sentence_case, signed};
use pairmill_schema::agreeing;

use super::advice::{Reason, Speaks};
use super::quality::Quality;
use super::verdict::{DEV_QUERIES, GOOD, Judged, LEAKED, LEAST_GAIN, NOISY, POOR};
use super::vocabulary::Vocabulary;

/// The share of the words in three or more pieces from which on the model does not know the field.
const BROKEN_UP: f64 = 0.1;
/// The share of the words of dev that the training texts lack from which on they differ.
const UNSEEN: f64 = 0.2;

impl Judged<'_> {
    /// Returns every reason, each with its figure and what that is held against.
    pub fn reasons(&self) -> Vec<Reason> {
        let mut reasons = vec![self.predicted(), self.rows.clone(), self.of_baseline()];
        reasons.push(self.dev_queries());
        reasons.extend(self.words());
        reasons.push(self.noise());
        reasons.push(self.leakage());
        if !self.has_test {
            reasons.push(Reason {
                about: "test set".to_owned(),
                figure: "none".to_owned(),
                threshold: "queries_test and qrels_test beside dev".to_owned(),
                speaks: Speaks::Caution,
                sentence: "Dev chooses the best step, so what is reached there is a little too good; measure at the end on queries that nothing was chosen by.".to_owned(),
            });
        }
        reasons
    }

    fn predicted(&self) -> Reason {
        let Some(found) = self.prediction else {
            return Reason {
                about: "predicted gain".to_owned(),
                figure: "none".to_owned(),
                threshold: format!("{LEAST_GAIN}, and an interval above 0"),
                speaks: Speaks::Against,
                sentence: "No error is left on dev.".to_owned(),
            };
        };
        let (speaks, sentence) = match () {
            () if found.low > 0.0 && found.gain >= LEAST_GAIN => {
                (Speaks::For, "The whole interval is above 0.")
            }
            () if found.gain < LEAST_GAIN => (Speaks::Against, "Nobody would notice."),
            () => (Speaks::Neither, "The interval holds 0."),
        };
        Reason {
            about: "predicted gain".to_owned(),
            figure: format!(
                "{} ({} to {})",
                signed(found.gain, 3),
                signed(found.low, 3),
                signed(found.high, 3)
            ),
            threshold: format!("{LEAST_GAIN}, and an interval above 0"),
            speaks,
            sentence: sentence.to_owned(),
        }
    }

    fn of_baseline(&self) -> Reason {
        let score = self.baseline.score;
        let (speaks, sentence) = match () {
            () if score > GOOD => (Speaks::Against, "The model does well as it is."),
            () if score < POOR => (Speaks::For, "There is much to gain."),
            () => (Speaks::Neither, "There is something to gain."),
        };
        Reason {
            about: "nDCG@10 on dev now".to_owned(),
            figure: figure(score, 3),
            threshold: format!("above {GOOD} it rarely pays, below {POOR} it often does"),
            speaks,
            sentence: sentence.to_owned(),
        }
    }

    fn dev_queries(&self) -> Reason {
        let is_enough = self.baseline.dev_clusters >= DEV_QUERIES;
        Reason {
            about: "dev queries".to_owned(),
            figure: self.baseline.queries(),
            threshold: count(DEV_QUERIES as u64),
            speaks: match is_enough {
                true => Speaks::Neither,
                false => Speaks::Caution,
            },
            sentence: match is_enough {
                true => "Enough to tell a gain of some hundredths.",
                false => "Few: four times as many would halve the interval.",
            }
            .to_owned(),
        }
    }

    fn words(&self) -> Vec<Reason> {
        let Vocabulary {
            words,
            broken_up,
            unknown,
            examples,
            of_dev,
            unseen,
            unseen_examples,
        } = self.vocabulary;
        let mut reasons = Vec::new();
        if *words > 0 {
            let share = *broken_up as f64 / *words as f64;
            let named: Vec<String> = examples
                .iter()
                .map(|(word, pieces)| format!("{word} ({pieces})"))
                .collect();
            let mut sentence = match named.is_empty() {
                true => String::new(),
                false => format!(
                    "The most frequent, with their pieces: {}.",
                    named.join(", ")
                ),
            };
            if *unknown > 0 {
                sentence += &format!(
                    " {} {} letters that the model does not know.",
                    count(*unknown as u64),
                    agreeing(*unknown as u64, "word has", "words have"),
                );
            }
            reasons.push(Reason {
                about: "words in three or more pieces".to_owned(),
                figure: percent(share, 1),
                threshold: format!(
                    "from {} on the model does not know the field",
                    percent(BROKEN_UP, 0)
                ),
                speaks: match share >= BROKEN_UP {
                    true => Speaks::For,
                    false => Speaks::Neither,
                },
                sentence: sentence.trim().to_owned(),
            });
        }
        if *of_dev > 0 {
            let share = *unseen as f64 / *of_dev as f64;
            let many = share >= UNSEEN;
            let named = unseen_examples.join(", ");
            reasons.push(Reason {
                about: "words of dev that no training text has".to_owned(),
                figure: percent(share, 1),
                threshold: format!("from {} on the two differ", percent(UNSEEN, 0)),
                speaks: match many {
                    true => Speaks::Against,
                    false => Speaks::Neither,
                },
                sentence: match (named.is_empty(), many) {
                    (true, _) => String::new(),
                    (false, true) => {
                        format!("The training rows are about something else, or older: {named}.")
                    }
                    (false, false) => format!("Such as {named}."),
                },
            });
        }
        reasons
    }

    fn noise(&self) -> Reason {
        let Quality {
            rows,
            noisy,
            repeated,
            noise,
            unjudged,
            ..
        } = self.quality;
        let share = *noisy as f64 / (*rows).max(1) as f64;
        let mut parts: Vec<String> = noise
            .iter()
            .map(|(kind, rows)| format!("{} {}", count(*rows as u64), kind.title))
            .collect();
        if *repeated > 0 {
            let rows = count(*repeated as u64);
            parts.push(format!("{rows} of the rows say what an earlier one says"));
        }
        if *unjudged > 0 {
            let passages = count(*unjudged as u64);
            parts.push(format!(
                "{passages} of the passages duplicate a relevant one and count as wrong"
            ));
        }
        let sentence = match parts.is_empty() {
            true => String::new(),
            false => sentence_case(&parts.join("; ")) + ".",
        };
        Reason {
            about: "noisy training rows".to_owned(),
            figure: format!(
                "{} of {}, {}",
                count(*noisy as u64),
                count(*rows as u64),
                percent(share, 1)
            ),
            threshold: percent(NOISY, 0),
            speaks: match share >= NOISY {
                true => Speaks::Caution,
                false => Speaks::Neither,
            },
            sentence,
        }
    }

    fn leakage(&self) -> Reason {
        let Quality {
            dev,
            leaked,
            nearly_leaked,
            leaked_to_test,
            ..
        } = self.quality;
        let share = self.leaked();
        let mut sentence = match nearly_leaked {
            0 => String::new(),
            near => format!("{} more nearly do.", count(*near as u64)),
        };
        if *leaked_to_test > 0 {
            sentence += &format!(
                " {} test queries stand in the training rows or in dev.",
                count(*leaked_to_test as u64)
            );
        }
        Reason {
            about: "dev queries that stand in the training rows".to_owned(),
            figure: format!(
                "{} of {}, {}",
                count(*leaked as u64),
                count(*dev as u64),
                percent(share, 1)
            ),
            threshold: percent(LEAKED, 0),
            speaks: match share >= LEAKED || *leaked_to_test > 0 {
                true => Speaks::Caution,
                false => Speaks::Neither,
            },
            sentence: sentence.trim().to_owned(),
        }
    }
}
