use crate::Probabilities;

/// A row whose label is likely wrong.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LabelIssue {
    /// The row.
    pub row: usize,
    /// The label that it has.
    pub given: usize,
    /// The class that it most likely is of.
    pub suggested: usize,
    /// How likely its label is right: the lower, the likelier it is wrong.
    pub confidence: f32,
}

/// Returns the rows that confident learning takes for mislabelled, the least likely labels first,
/// of equal ones the lowest row. `probabilities` are to come from fits without the row
/// ([`cross_fitted`](crate::cross_fitted)).
///
/// A class's threshold is the mean probability that rows labelled with it have of it. A row is
/// taken for one of the likeliest class whose threshold it reaches; where that is not its label,
/// the label is an issue. Northcutt, Jiang and Chuang, Confident Learning, 2021, equations 2 and 3.
pub fn label_issues(probabilities: &Probabilities, labels: &[usize]) -> Vec<LabelIssue> {
    let thresholds = thresholds(probabilities, labels);
    let mut issues: Vec<LabelIssue> = Vec::new();
    for (row, &given) in labels.iter().enumerate() {
        let shares = probabilities.row(row);
        let mut confident: Option<usize> = None;
        for (class, &share) in shares.iter().enumerate() {
            let is_likelier = confident.is_none_or(|best| share > shares[best]);
            if thresholds[class].is_some_and(|least| share >= least) && is_likelier {
                confident = Some(class);
            }
        }
        if let Some(suggested) = confident.filter(|&class| class != given) {
            issues.push(LabelIssue {
                row,
                given,
                suggested,
                confidence: shares[given],
            });
        }
    }
    issues.sort_by(|a, b| a.confidence.total_cmp(&b.confidence));
    issues
}

/// Returns each class's threshold; none for a class that no row is labelled with.
fn thresholds(probabilities: &Probabilities, labels: &[usize]) -> Vec<Option<f32>> {
    let mut sums = vec![(0f64, 0u32); probabilities.classes()];
    for (row, &label) in labels.iter().enumerate() {
        let (sum, rows) = &mut sums[label];
        *sum += f64::from(probabilities.row(row)[label]);
        *rows += 1;
    }
    let mean = |(sum, rows): (f64, u32)| (rows > 0).then(|| (sum / f64::from(rows)) as f32);
    sums.into_iter().map(mean).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_that_reaches_anothers_threshold_is_an_issue_and_an_undecided_one_is_none() {
        let probabilities = Probabilities::new(
            vec![
                0.9, 0.1, // sure
                0.8, 0.2, // sure
                0.2, 0.8, // labelled 0, surely 1
                0.1, 0.9, // sure
                0.3, 0.7, // sure
                0.5, 0.5, // reaches no threshold
            ],
            2,
        );
        let labels = [0, 0, 0, 1, 1, 1];
        // Thresholds: (0.9 + 0.8 + 0.2) / 3 and (0.9 + 0.7 + 0.5) / 3.
        let found = label_issues(&probabilities, &labels);
        assert_eq!(
            found,
            [LabelIssue {
                row: 2,
                given: 0,
                suggested: 1,
                confidence: 0.2
            }]
        );
    }
}
