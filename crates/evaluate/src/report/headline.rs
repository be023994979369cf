use super::data::{Compared, MetricRow, Report};
use super::deployment::{Choice, is_behind, recommendation};
use super::first_places::first_places;
use super::next_steps::next_steps;
use super::sentences::{clusters, other_metrics, outcomes, paired_test, sentence};
use super::verdict::{Verdict, verdict};

/// The heading of corrected chances.
pub(crate) const P_CORRECTED: &str = "p (Holm)";

/// The answer in words.
#[derive(Debug)]
pub(crate) struct Headline<'a> {
    pub(super) verdict: Verdict,
    /// The row the sentence is about.
    pub chief: &'a MetricRow,
    pub sentence: String,
    /// How many items come out right, where they can be counted.
    pub first_places: Option<String>,
    /// Which of both to use from now on, where that is what was asked.
    pub recommendation: Option<String>,
    /// What to do next, out of what was measured.
    pub next_steps: Vec<String>,
    /// What stands behind it: tests, items, the other metrics.
    pub details: Vec<String>,
}

impl<'a> Headline<'a> {
    /// Puts the answer in words; `None` where the report has no figures.
    pub fn of(report: &'a Report) -> Option<Self> {
        let chief = report.chief_row()?;
        let mut details = Vec::new();
        if let Some(difference) = &chief.difference {
            details.extend(outcomes(report, chief));
            details.extend(clusters(report));
            details.extend(paired_test(report, difference));
            details.extend(other_metrics(report));
        }
        let verdict = verdict(chief);
        Some(Self {
            verdict,
            chief,
            sentence: sentence(report, chief),
            first_places: first_places(report),
            recommendation: report.baseline.as_deref().and_then(|baseline| {
                let is_behind = is_behind(chief);
                recommendation(report.compared, verdict, is_behind, &report.model, baseline)
            }),
            next_steps: next_steps(report, verdict, chief),
            details,
        })
    }

    /// Returns which of both to use from now on, with the sentence that says so by these names;
    /// `None` where neither is to be chosen.
    pub fn choice(
        &self,
        compared: Compared,
        model: &str,
        baseline: &str,
    ) -> Option<(Choice, String)> {
        let is_behind = is_behind(self.chief);
        let sentence = recommendation(compared, self.verdict, is_behind, model, baseline)?;
        Some((Choice::by(self.verdict)?, sentence))
    }

    /// Returns the verdict and the sentence about the chief metric, on one line.
    pub fn answer(&self) -> String {
        match self.verdict.name() {
            "" => self.sentence.clone(),
            name => format!("{name}. {}", self.sentence),
        }
    }
}

#[cfg(test)]
mod tests {
    use pairmill_report::Estimate;

    use super::super::data::{Better, Difference, Outcomes, PairedTest};
    use super::*;
    use crate::statistics::verdict::{Needed, Verdict as Found};

    fn report(difference: f64, interval: Option<(f64, f64)>, verdict: Option<Found>) -> Report {
        Report {
            confidence: 0.95,
            items_drawn: 2_000,
            tests: 6,
            items: "queries".to_owned(),
            summary: vec![MetricRow {
                metric: "ndcg@10".to_owned(),
                better: Better::Higher,
                model: Estimate::new(0.5 + difference, None),
                baseline: Some(Estimate::new(0.5, None)),
                difference: Some(Difference {
                    estimate: Estimate::new(difference, interval),
                    verdict,
                    needed: None,
                    same_as: None,
                    p_value: Some(0.000_01),
                    test: PairedTest::Bootstrap,
                    corrected_p: None,
                    effect_size: None,
                    outcomes: Some(Outcomes {
                        wins: 1_200,
                        losses: 300,
                        ties: 500,
                    }),
                }),
            }],
            ..Report::default()
        }
    }

    fn said(
        difference: f64,
        interval: Option<(f64, f64)>,
        verdict: Option<Found>,
    ) -> (Verdict, String) {
        let report = report(difference, interval, verdict);
        let headline = Headline::of(&report).unwrap();
        (headline.verdict, headline.sentence)
    }

    #[test]
    fn a_rise_and_a_fall_are_called_so() {
        let (verdict, sentence) = said(0.2, Some((0.15, 0.25)), Some(Found::Better));
        assert_eq!(verdict, Verdict::Better);
        assert_eq!(
            sentence,
            "nDCG@10 rose from 0.500 to 0.700 (+0.200, 95 % interval +0.150 to +0.250)."
        );
        let (verdict, sentence) = said(-0.1, Some((-0.2, -0.05)), Some(Found::Worse));
        assert_eq!(verdict, Verdict::Worse);
        assert_eq!(
            sentence,
            "nDCG@10 fell from 0.500 to 0.400 (−0.100, 95 % interval −0.200 to −0.050)."
        );
    }

    #[test]
    fn a_change_that_may_be_chance_is_no_news() {
        let (verdict, sentence) = said(0.02, Some((-0.01, 0.05)), Some(Found::Unclear));
        assert_eq!(verdict, Verdict::Unclear);
        assert_eq!(
            sentence,
            "nDCG@10 went from 0.500 to 0.520 (+0.020, 95 % interval −0.010 to +0.050), no \
             clear change: the 95 % interval covers 0."
        );
        let (verdict, sentence) = said(0.0, Some((0.0, 0.0)), Some(Found::Unclear));
        assert_eq!(verdict, Verdict::Unclear);
        assert_eq!(sentence, "nDCG@10 is 0.500 with both models.");
        let (verdict, sentence) = said(0.2, None, None);
        assert_eq!(verdict, Verdict::Untested);
        assert!(sentence.ends_with("without an interval, this may be chance."));
        let (verdict, sentence) = said(f64::NAN, Some((f64::NAN, f64::NAN)), None);
        assert_eq!(verdict, Verdict::Untested);
        assert!(sentence.contains("cannot be compared"), "{sentence}");
    }

    #[test]
    fn an_interval_without_the_test_says_what_would_do() {
        let mut report = report(0.2, Some((0.05, 0.35)), Some(Found::TooFew));
        report.items_drawn = 15;
        report.clusters = Some((5, "share a relevant document".to_owned()));
        let difference = report.summary[0].difference.as_mut().unwrap();
        difference.corrected_p = Some(0.375);
        difference.needed = Some(Needed {
            clusters: 12,
            items: 36,
        });
        let headline = Headline::of(&report).unwrap();
        assert_eq!(headline.verdict, Verdict::TooFew);
        assert_eq!(
            headline.sentence,
            "nDCG@10 went from 0.500 to 0.700 (+0.200, 95 % interval +0.050 to +0.350): p is \
             0.3750 after Holm's correction, and 15 queries in 5 groups, each of queries that \
             share a relevant document, are too few to tell; to see a difference of this size \
             takes about 36 queries in 12 groups."
        );
        assert_eq!(
            headline.details[1..],
            [
                "15 queries make 5 groups of queries that share a relevant document; what is in one group counts as one.",
                "Paired bootstrap, by 5 groups: p < 0.0001 (0.3750 by Holm's correction for 6 tests).",
            ]
        );
        assert!(
            headline
                .answer()
                .starts_with("Too few to tell. nDCG@10 went")
        );
    }

    #[test]
    fn a_model_alone_has_a_level() {
        let mut report = report(0.2, None, None);
        report.summary[0].baseline = None;
        report.summary[0].difference = None;
        report.summary[0].model = Estimate::new(0.7, Some((0.65, 0.75)));
        let headline = Headline::of(&report).unwrap();
        assert_eq!(headline.verdict, Verdict::Alone);
        assert_eq!(
            headline.sentence,
            "nDCG@10 is 0.700 (95 % interval 0.650 to 0.750)."
        );
        assert!(Headline::of(&Report::default()).is_none());
    }

    #[test]
    fn fewer_unjudged_results_are_better() {
        let mut report = report(-0.1, Some((-0.2, -0.05)), Some(Found::Better));
        report.summary[0].metric = "hole@10".to_owned();
        report.summary[0].better = Better::Lower;
        let headline = Headline::of(&report).unwrap();
        assert_eq!(headline.verdict, Verdict::Better);
        assert!(headline.sentence.starts_with("Hole@10 fell from"));
        assert_eq!(
            headline.details,
            [
                "Of 2,000 queries, 1,200 are worse, 300 better and 500 unchanged.",
                "Paired bootstrap: p < 0.0001."
            ]
        );
    }
}
