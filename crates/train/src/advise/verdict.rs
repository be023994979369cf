//! Whether to train, and what to change first.

use pairmill_report::format::{count, figure, signed};

use super::advice::{Advice, Baseline, Prediction, Reason, Verdict};
use super::need::Level;
use super::quality::Quality;
use super::vocabulary::Vocabulary;

/// A gain in nDCG@10 that nobody would notice.
pub(super) const LEAST_GAIN: f64 = 0.005;
/// Above the first, training rarely pays; below the second, it often does.
pub(super) const GOOD: f64 = 0.8;
pub(super) const POOR: f64 = 0.7;
/// The share of noisy rows from which on cleaning comes first.
pub(super) const NOISY: f64 = 0.05;
/// The share of dev queries that are trained on from which on the figures on dev are no guide.
pub(super) const LEAKED: f64 = 0.01;
/// Dev queries from which on an interval is narrow enough to tell gains of some hundredths.
pub(super) const DEV_QUERIES: usize = 200;
/// Groups of dev queries that share no answer from which on an interval of theirs tells anything:
/// of fewer, all may have gained by chance (2 · 2^-n is not below 0.05).
const LEAST_CLUSTERS: usize = 6;
/// What twice the rows must bring to be worth collecting.
const MORE_ROWS: f64 = 0.01;

/// What is judged.
pub(super) struct Judged<'a> {
    pub baseline: &'a Baseline,
    pub prediction: Option<&'a Prediction>,
    pub level: Level,
    pub rows: &'a Reason,
    pub quality: &'a Quality,
    pub vocabulary: &'a Vocabulary,
    pub has_test: bool,
    pub has_hard_negatives: bool,
}

impl Judged<'_> {
    /// Decides. Where the interval of the prediction holds 0, the rules of thumb for rows and
    /// baseline do.
    pub fn verdict(&self) -> Verdict {
        let Some(Prediction {
            gain, low, high, ..
        }) = self.prediction
        else {
            return Verdict::Keep;
        };
        let score = self.baseline.score;
        match () {
            () if self.is_clear(*low) && *gain >= LEAST_GAIN => Verdict::Train,
            () if *high < LEAST_GAIN || *gain < LEAST_GAIN => Verdict::Keep,
            () if score > GOOD => Verdict::Keep,
            () if score < POOR && self.level > Level::TooFew => Verdict::Train,
            () => Verdict::Unclear,
        }
    }

    /// Whether an interval that begins here is above 0 by more than chance.
    fn is_clear(&self, low: f64) -> bool {
        low > 0.0 && self.baseline.dev_clusters >= LEAST_CLUSTERS
    }

    /// Says it in a sentence or two.
    pub fn answer(&self, verdict: Verdict) -> String {
        let Some(found) = self.prediction else {
            return "The model makes no error on dev, so there is nothing to gain. If that is too good to be true, dev is too easy or leaks.".to_owned();
        };
        let predicted = format!(
            "Training on all {} rows is predicted to take nDCG@10 on dev from {} to {} ({}; 95 % interval {} to {}).",
            count(found.rows as u64),
            figure(self.baseline.score, 3),
            figure(self.baseline.score + found.gain, 3),
            signed(found.gain, 3),
            signed(found.low, 3),
            signed(found.high, 3),
        );
        let so = match verdict {
            Verdict::Train if self.is_clear(found.low) => "That is worth it.",
            Verdict::Train => {
                "The interval does not settle it, but a model that scores below 0.7 with enough rows often gains."
            }
            Verdict::Keep if found.gain < LEAST_GAIN => "That is not worth it.",
            Verdict::Keep => {
                "The interval does not settle it, and a model that scores above 0.8 rarely gains."
            }
            Verdict::Unclear => "The interval does not settle it: a try would.",
        };
        format!("{predicted} {so}")
    }

    /// Returns the share of the dev queries that stand in the training rows.
    pub fn leaked(&self) -> f64 {
        self.quality.leaked as f64 / self.quality.dev.max(1) as f64
    }

    /// Says what to change first.
    pub fn first(&self) -> Vec<String> {
        let mut first = Vec::new();
        let mut say = |text: String| first.push(text);
        if self.leaked() >= LEAKED || self.quality.leaked_to_test > 0 {
            say("Keep each query in one split: `pairmill-generate check --input TRAINING --against DEV --fix leakage`. Until then the figures on dev are too high.".to_owned());
        }
        if self.quality.noisy as f64 >= NOISY * self.quality.rows.max(1) as f64
            && self.quality.noisy > 0
        {
            say("Mend the training rows: `pairmill-generate check --input TRAINING --fix` does what loses nothing, and its card lists the rest.".to_owned());
        }
        if let Some(found) = self.prediction {
            let settles = self.is_clear(found.low) || found.high < LEAST_GAIN;
            let queries = self.baseline.dev_clusters;
            if queries < DEV_QUERIES || !settles && queries < 5 * DEV_QUERIES {
                say(format!(
                    "Judge more dev queries: {} leave an interval of {} to {}, and four times as many about half of that.",
                    self.baseline.queries(),
                    signed(found.low, 3),
                    signed(found.high, 3)
                ));
            }
            if found.gain < 0.0 {
                say("Try a lower rate (`--learning-rate 5e-6`) or another loss (`pairmill-train compare-losses`): as given, training takes away from what the model knows.".to_owned());
            }
            if found.gain_of_twice_the_rows >= MORE_ROWS {
                say(format!(
                    "Collect more rows: twice as many are predicted to bring {} on top.",
                    signed(found.gain_of_twice_the_rows, 3)
                ));
            }
        }
        if !self.has_hard_negatives {
            say(
                "Mine hard negatives (`pairmill-mine --format triplet`): the pairs have none."
                    .to_owned(),
            );
        }
        if self.level == Level::TooFew {
            say(format!(
                "Get nearer to what the task needs: {}",
                self.rows.threshold
            ));
        }
        first
    }
}

impl Advice {
    /// Returns whether it is not to train.
    pub fn is_against(&self) -> bool {
        self.verdict == Verdict::Keep
    }
}

#[cfg(test)]
mod tests {
    use super::super::advice::Speaks;
    use super::*;

    fn reason() -> Reason {
        Reason {
            about: "rows".to_owned(),
            figure: "900 queries".to_owned(),
            threshold: "1,000 queries".to_owned(),
            speaks: Speaks::Neither,
            sentence: String::new(),
        }
    }

    fn prediction(gain: f64, low: f64, high: f64) -> Prediction {
        Prediction {
            rows: 3_000,
            gain,
            low,
            high,
            gain_of_twice_the_rows: 0.0,
            small_trainings: Vec::new(),
            curve: Vec::new(),
        }
    }

    /// What is decided of a model with this score, and what is said and to be done first.
    fn judge(
        score: f64,
        prediction: Option<Prediction>,
        level: Level,
        quality: &Quality,
    ) -> (Verdict, String, Vec<String>) {
        let judged = Judged {
            baseline: &Baseline {
                score,
                dev_queries: 100,
                dev_clusters: 100,
            },
            prediction: prediction.as_ref(),
            level,
            rows: &reason(),
            quality,
            vocabulary: &Vocabulary::default(),
            has_test: true,
            has_hard_negatives: true,
        };
        let verdict = judged.verdict();
        (verdict, judged.answer(verdict), judged.first())
    }

    #[test]
    fn a_prediction_that_is_clear_decides() {
        let verdict = |gain, low, high| {
            let found = Some(prediction(gain, low, high));
            judge(0.9, found, Level::TooFew, &Quality::default()).0
        };
        assert_eq!(verdict(0.05, 0.02, 0.08), Verdict::Train);
        assert_eq!(verdict(0.003, 0.001, 0.005), Verdict::Keep);
        assert_eq!(verdict(-0.02, -0.05, 0.01), Verdict::Keep);
    }

    #[test]
    fn queries_of_few_answers_decide_nothing() {
        let found = prediction(0.05, 0.02, 0.08);
        let (quality, reason) = (Quality::default(), reason());
        let verdict = |dev_clusters| {
            let judged = Judged {
                baseline: &Baseline {
                    score: 0.75,
                    dev_queries: 569,
                    dev_clusters,
                },
                prediction: Some(&found),
                level: Level::Best,
                rows: &reason,
                quality: &quality,
                vocabulary: &Vocabulary::default(),
                has_test: true,
                has_hard_negatives: true,
            };
            (judged.verdict(), judged.first()[0].clone())
        };
        assert_eq!(verdict(6).0, Verdict::Train);
        let (verdict, first) = verdict(4);
        assert_eq!(verdict, Verdict::Unclear);
        assert!(
            first.starts_with("Judge more dev queries: 569 in 4 groups by their answers leave"),
            "{first}"
        );
    }

    #[test]
    fn rules_of_thumb_decide_where_it_is_not() {
        let verdict = |score, level| {
            let found = Some(prediction(0.03, -0.01, 0.07));
            judge(score, found, level, &Quality::default()).0
        };
        assert_eq!(verdict(0.85, Level::Best), Verdict::Keep);
        assert_eq!(verdict(0.75, Level::Best), Verdict::Unclear);
        assert_eq!(verdict(0.6, Level::Least), Verdict::Train);
        assert_eq!(verdict(0.6, Level::TooFew), Verdict::Unclear);
    }

    #[test]
    fn a_model_without_an_error_is_kept() {
        let (verdict, answer, _) = judge(1.0, None, Level::Best, &Quality::default());
        assert_eq!(verdict, Verdict::Keep);
        assert!(answer.contains("no error on dev"), "{answer}");
    }

    #[test]
    fn the_answer_names_figures_and_interval() {
        let found = Some(prediction(0.05, 0.02, 0.08));
        let (_, answer, _) = judge(0.6, found, Level::Best, &Quality::default());
        assert_eq!(
            answer,
            "Training on all 3,000 rows is predicted to take nDCG@10 on dev from 0.600 to 0.650 (+0.050; 95 % interval +0.020 to +0.080). That is worth it."
        );
    }

    #[test]
    fn leaks_and_noise_come_before_all_else() {
        let quality = Quality {
            rows: 100,
            noisy: 10,
            dev: 100,
            leaked: 2,
            ..Quality::default()
        };
        let found = Some(prediction(0.03, -0.01, 0.07));
        let (_, _, first) = judge(0.75, found, Level::TooFew, &quality);
        let begins: Vec<&str> = first.iter().map(|text| &text[..10]).collect();
        assert_eq!(
            begins,
            ["Keep each ", "Mend the t", "Judge more", "Get nearer"]
        );
    }
}
