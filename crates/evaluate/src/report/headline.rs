use super::data::{Better, Estimate, MetricRow, Report};
use super::format::{self, count, figure, interval, interval_name, probability, signed};

/// What the chief metric says about the model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// The interval of the difference lies on the better side of 0.
    Better,
    /// On the worse side.
    Worse,
    /// It covers 0, or neither side is better.
    Unclear,
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
    /// `None` where the report has no figures.
    pub fn of(report: &'a Report) -> Option<Self> {
        let chief = report.chief_row()?;
        let mut details = Vec::new();
        if let Some(difference) = &chief.difference {
            details.extend(outcomes(report, chief));
            if let Some(p) = difference.p_value {
                let corrected = difference.corrected_p.map_or(String::new(), |p| {
                    let tested = report
                        .summary
                        .iter()
                        .filter_map(|row| row.difference.as_ref());
                    let tested = tested.filter(|difference| difference.corrected_p.is_some());
                    format!(
                        " ({} corrected for {} metrics)",
                        probability(p),
                        tested.count()
                    )
                });
                let test = format::sentence_case(difference.test.name());
                details.push(format!("{test}: {}{corrected}.", format::p_value(p)));
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
    /// The row of the chief metric.
    pub fn chief_row(&self) -> Option<&MetricRow> {
        let named = self.summary.iter().find(|row| row.metric == self.chief);
        named.or(self.summary.first())
    }

    /// Which way a metric of the summary improves.
    pub fn better(&self, metric: &str) -> Better {
        let row = self.summary.iter().find(|row| row.metric == metric);
        row.map_or(Better::Higher, |row| row.better)
    }

    /// What the items are called, in the plural.
    pub fn item_name(&self) -> &str {
        if self.items.is_empty() {
            "items"
        } else {
            &self.items
        }
    }

    /// How intervals are called, such as `95 % interval`.
    pub fn interval_name(&self) -> String {
        interval_name(self.confidence)
    }
}

/// What the difference of a metric says.
pub(super) fn verdict(row: &MetricRow) -> Verdict {
    let Some(difference) = &row.difference else {
        return Verdict::Alone;
    };
    side(&difference.estimate, row.better)
}

impl Verdict {
    /// A sign that needs no colour; empty where nothing was tested.
    pub fn sign(self) -> &'static str {
        match self {
            Self::Better => "▲",
            Self::Worse => "▼",
            Self::Unclear => "○",
            Self::Untested | Self::Alone => "",
        }
    }

    /// The class of its colour in charts.
    pub fn series_class(self) -> &'static str {
        match self {
            Self::Better => "s0",
            Self::Worse => "s1",
            Self::Unclear | Self::Untested | Self::Alone => "same",
        }
    }
}

/// On which side of 0 a difference lies.
pub(super) fn side(difference: &Estimate, better: Better) -> Verdict {
    let Some((low, high)) = difference.interval else {
        return Verdict::Untested;
    };
    match better {
        Better::Higher if low > 0.0 => Verdict::Better,
        Better::Higher if high < 0.0 => Verdict::Worse,
        Better::Lower if high < 0.0 => Verdict::Better,
        Better::Lower if low > 0.0 => Verdict::Worse,
        _ => Verdict::Unclear,
    }
}

fn sentence(report: &Report, row: &MetricRow) -> String {
    let name = format::sentence_case(&format::metric(&row.metric));
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
            "{name} went from {before} to {after} ({change}); without an interval, this may be chance."
        );
    };
    let ends = format!("{} to {}", signed(low, 3), signed(high, 3));
    if low > 0.0 {
        format!("{name} rose from {before} to {after} ({change}, {within} {ends}).")
    } else if high < 0.0 {
        format!("{name} fell from {before} to {after} ({change}, {within} {ends}).")
    } else if low == 0.0 && high == 0.0 {
        format!("{name} is {after} with both models.")
    } else {
        format!(
            "{name} went from {before} to {after} ({change}), no clear change: the {within}, {ends}, covers 0."
        )
    }
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
        .filter(|row| row.difference.is_some() && row.better != Better::Neither)
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
        number(Verdict::Unclear)
    ))
}

#[cfg(test)]
mod tests {
    use super::super::data::{Difference, Outcomes, PairedTest};
    use super::*;

    fn report(difference: f64, interval: Option<(f64, f64)>) -> Report {
        Report {
            confidence: 0.95,
            items: "queries".to_owned(),
            summary: vec![MetricRow {
                metric: "ndcg@10".to_owned(),
                better: Better::Higher,
                model: Estimate::new(0.5 + difference, None),
                baseline: Some(Estimate::new(0.5, None)),
                difference: Some(Difference {
                    estimate: Estimate::new(difference, interval),
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

    fn said(difference: f64, interval: Option<(f64, f64)>) -> (Verdict, String) {
        let report = report(difference, interval);
        let headline = Headline::of(&report).unwrap();
        (headline.verdict, headline.sentence)
    }

    #[test]
    fn a_rise_and_a_fall_are_called_so() {
        let (verdict, sentence) = said(0.2, Some((0.15, 0.25)));
        assert_eq!(verdict, Verdict::Better);
        assert_eq!(
            sentence,
            "nDCG@10 rose from 0.500 to 0.700 (+0.200, 95 % interval +0.150 to +0.250)."
        );
        let (verdict, sentence) = said(-0.1, Some((-0.2, -0.05)));
        assert_eq!(verdict, Verdict::Worse);
        assert_eq!(
            sentence,
            "nDCG@10 fell from 0.500 to 0.400 (−0.100, 95 % interval −0.200 to −0.050)."
        );
    }

    #[test]
    fn a_change_that_may_be_chance_is_no_news() {
        let (verdict, sentence) = said(0.02, Some((-0.01, 0.05)));
        assert_eq!(verdict, Verdict::Unclear);
        assert_eq!(
            sentence,
            "nDCG@10 went from 0.500 to 0.520 (+0.020), no clear change: the 95 % interval, −0.010 to +0.050, covers 0."
        );
        let (verdict, sentence) = said(0.0, Some((0.0, 0.0)));
        assert_eq!(verdict, Verdict::Unclear);
        assert_eq!(sentence, "nDCG@10 is 0.500 with both models.");
        let (verdict, sentence) = said(0.2, None);
        assert_eq!(verdict, Verdict::Untested);
        assert!(sentence.ends_with("without an interval, this may be chance."));
        let (verdict, sentence) = said(f64::NAN, Some((f64::NAN, f64::NAN)));
        assert_eq!(verdict, Verdict::Untested);
        assert!(sentence.contains("cannot be compared"), "{sentence}");
    }

    #[test]
    fn a_model_alone_has_a_level() {
        let mut report = report(0.2, None);
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
        let mut report = report(-0.1, Some((-0.2, -0.05)));
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
