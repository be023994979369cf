use pairmill_metrics::metric_title;
use pairmill_report::format::{self, count, figure, interval, interval_name, probability, signed};

use super::data::{Better, MetricRow, Report};
use crate::statistics::verdict::{self, Needed};

/// The heading of corrected chances.
pub(crate) const P_CORRECTED: &str = "p (Holm)";

/// What the chief metric says about the model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// The interval of the difference lies on the better side of 0, and the corrected test agrees.
    Better,
    /// On the worse side.
    Worse,
    /// One of both does not say so, or neither side is better.
    Unclear,
    /// The same, and the items are too few to tell.
    TooFew,
    /// There is a baseline, but no interval.
    Untested,
    /// There is no baseline.
    Alone,
}

/// The answer in words.
#[derive(Debug)]
pub(super) struct Headline<'a> {
    pub verdict: Verdict,
    /// The row the sentence is about.
    pub chief: &'a MetricRow,
    pub sentence: String,
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
            if let Some(p) = difference.p_value {
                let corrected = difference.corrected_p.map_or(String::new(), |p| {
                    let tests = match report.tests {
                        1 => "1 test".to_owned(),
                        tests => format!("{tests} tests"),
                    };
                    format!(" ({} by Holm's correction for {tests})", probability(p))
                });
                let test = format::sentence_case(difference.test.name());
                let of = match &report.clusters {
                    Some((clusters, _)) => format!(", by {} groups", count(*clusters)),
                    None => String::new(),
                };
                details.push(format!("{test}{of}: {}{corrected}.", format::p_value(p)));
            }
            details.extend(other_metrics(report));
        }
        Some(Self {
            verdict: verdict(chief),
            chief,
            sentence: sentence(report, chief),
            details,
        })
    }
}

impl Report {
    /// Returns the row of the chief metric.
    pub fn chief_row(&self) -> Option<&MetricRow> {
        let named = self.summary.iter().find(|row| row.metric == self.chief);
        named.or(self.summary.first())
    }

    /// Returns what the items are called, in the plural.
    pub fn item_name(&self) -> &str {
        if self.items.is_empty() {
            "items"
        } else {
            &self.items
        }
    }

    /// Returns how intervals are called, such as `95 % interval`.
    pub fn interval_name(&self) -> String {
        interval_name(self.confidence)
    }
}

/// The answer on one line: the verdict, and the sentence about the chief metric.
pub(crate) fn answer_in_words(report: &Report) -> Option<String> {
    let headline = Headline::of(report)?;
    Some(match headline.verdict.name() {
        "" => headline.sentence,
        name => format!("{name}. {}", headline.sentence),
    })
}

/// What the difference of a metric says.
pub(super) fn verdict(row: &MetricRow) -> Verdict {
    let Some(difference) = &row.difference else {
        return Verdict::Alone;
    };
    match difference.verdict {
        Some(verdict::Verdict::Better) => Verdict::Better,
        Some(verdict::Verdict::Worse) => Verdict::Worse,
        Some(verdict::Verdict::Unclear) => Verdict::Unclear,
        Some(verdict::Verdict::TooFew) => Verdict::TooFew,
        None => Verdict::Untested,
    }
}

impl Verdict {
    /// Returns a sign that needs no colour; empty where nothing was tested.
    pub fn sign(self) -> &'static str {
        match self {
            Self::Better => "▲",
            Self::Worse => "▼",
            Self::Unclear | Self::TooFew => "○",
            Self::Untested | Self::Alone => "",
        }
    }

    /// Its name, empty where there is nothing to compare.
    pub fn name(self) -> &'static str {
        match self {
            Self::Better => "Better",
            Self::Worse => "Worse",
            Self::Unclear => "No clear difference",
            Self::TooFew => "Too few to tell",
            Self::Untested => "Not tested",
            Self::Alone => "",
        }
    }

    /// Returns the class of its colour in charts.
    pub fn series_class(self) -> &'static str {
        match self {
            Self::Better => "s0",
            Self::Worse => "s1",
            Self::Unclear | Self::TooFew | Self::Untested | Self::Alone => "same",
        }
    }
}

fn sentence(report: &Report, row: &MetricRow) -> String {
    let name = format::sentence_case(&metric_title(&row.metric));
    let short = |value| figure(value, 3);
    let within = report.interval_name();
    let (Some(baseline), Some(difference)) = (&row.baseline, &row.difference) else {
        let spread = interval(&row.model, short).map(|ends| format!(" ({within} {ends})"));
        return format!(
            "{name} is {}{}.",
            short(row.model.value),
            spread.unwrap_or_default()
        );
    };
    let by = difference.estimate.value;
    if !by.is_finite() {
        return format!("{name} cannot be compared: it is undefined for one of the models.");
    }
    let (before, after) = (short(baseline.value), short(row.model.value));
    let change = signed(by, 3);
    let Some((low, high)) = difference.estimate.interval else {
        return format!(
            "{name} went from {before} to {after} ({change}); without an interval, this may be \
             chance."
        );
    };
    let ends = format!("{} to {}", signed(low, 3), signed(high, 3));
    let moved =
        |how: &str| format!("{name} {how} from {before} to {after} ({change}, {within} {ends})");
    if low == 0.0 && high == 0.0 && by == 0.0 {
        return format!("{name} is {after} with both models.");
    }
    let verdict = verdict(row);
    let why = || match difference.corrected_p {
        Some(p) if low > 0.0 || high < 0.0 => {
            format!("p is {} after Holm's correction", probability(p))
        }
        _ => format!("the {within} covers 0"),
    };
    match verdict {
        Verdict::Better | Verdict::Worse if by > 0.0 => moved("rose") + ".",
        Verdict::Better | Verdict::Worse => moved("fell") + ".",
        Verdict::TooFew => format!(
            "{}: {}, and {} are too few to tell{}.",
            moved("went"),
            why(),
            drawn(report),
            enough(report, difference.needed)
        ),
        Verdict::Unclear => format!(
            "{}, no clear change: {}{}.",
            moved("went"),
            why(),
            enough(report, difference.needed)
        ),
        Verdict::Untested | Verdict::Alone => moved("went") + ".",
    }
}

/// What a verdict rests on, such as `15 queries in 5 groups`.
fn drawn(report: &Report) -> String {
    let items = format!("{} {}", count(report.items_drawn), report.item_name());
    match &report.clusters {
        Some((clusters, _)) => format!("{items} in {} groups", count(*clusters)),
        None => items,
    }
}

/// How many would show a difference of this size.
fn enough(report: &Report, needed: Option<Needed>) -> String {
    let Some(needed) = needed else {
        return String::new();
    };
    let items = format!("{} {}", count(needed.items), report.item_name());
    let groups = match &report.clusters {
        Some(_) => format!(" in {} groups", count(needed.clusters)),
        None => String::new(),
    };
    format!("; to see a difference of this size takes about {items}{groups}")
}

/// What was drawn as a whole, in a sentence.
fn clusters(report: &Report) -> Option<String> {
    let (clusters, why) = report.clusters.as_ref()?;
    let items = report.item_name();
    Some(format!(
        "{} {items} make {} groups of {items} that {why}; what is in one group counts as one.",
        count(report.items_drawn),
        count(*clusters)
    ))
}

fn outcomes(report: &Report, row: &MetricRow) -> Option<String> {
    let outcomes = row.difference.as_ref()?.outcomes?;
    let (higher, lower) = match row.better {
        Better::Higher => ("better", "worse"),
        Better::Lower => ("worse", "better"),
        Better::Neither => ("higher", "lower"),
    };
    let all = outcomes.wins + outcomes.losses + outcomes.ties;
    Some(format!(
        "Of {} {}, {} are {higher}, {} {lower} and {} unchanged.",
        count(all),
        report.item_name(),
        count(outcomes.wins),
        count(outcomes.losses),
        count(outcomes.ties)
    ))
}

fn other_metrics(report: &Report) -> Option<String> {
    let verdicts: Vec<Verdict> = report
        .summary
        .iter()
        .filter(|row| {
            let difference = row.difference.as_ref();
            let is_its_own = difference.is_some_and(|one| one.same_as.is_none());
            is_its_own && row.better != Better::Neither
        })
        .map(verdict)
        .collect();
    if verdicts.len() < 2 || verdicts.contains(&Verdict::Untested) {
        return None;
    }
    let number = |wanted| {
        verdicts
            .iter()
            .filter(|&&verdict| verdict == wanted)
            .count()
    };
    Some(format!(
        "Of {} metrics, {} clearly improved, {} clearly worsened and {} did neither.",
        verdicts.len(),
        number(Verdict::Better),
        number(Verdict::Worse),
        number(Verdict::Unclear) + number(Verdict::TooFew)
    ))
}

#[cfg(test)]
mod tests {
    use pairmill_report::Estimate;

    use super::super::data::{Difference, Outcomes, PairedTest};
    use super::*;
    use crate::statistics::verdict::Verdict as Found;

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
            "nDCG@10 went from 0.500 to 0.520 (+0.020, 95 % interval −0.010 to +0.050), no clear change: the 95 % interval covers 0."
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
            "nDCG@10 went from 0.500 to 0.700 (+0.200, 95 % interval +0.050 to +0.350): p is 0.3750 after Holm's \
             correction, and 15 queries in 5 groups are too few to tell; to see a difference of this size takes \
             about 36 queries in 12 groups."
        );
        assert_eq!(
            headline.details[1..],
            [
                "15 queries make 5 groups of queries that share a relevant document; what is in one group counts as one.",
                "Paired bootstrap, by 5 groups: p < 0.0001 (0.3750 by Holm's correction for 6 tests).",
            ]
        );
        assert!(
            answer_in_words(&report)
                .unwrap()
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
