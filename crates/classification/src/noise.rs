use crate::Probabilities;

/// Parts of the rows of which each is judged by a fit on the others, where labels are looked
/// through.
pub const NOISE_FOLDS: usize = 5;
/// The penalty of those fits; between 1 and 10 the ranking hardly changes (`bench/hygiene` has the
/// figures of this one).
pub const NOISE_C: f64 = 3.0;

/// A row whose label is likely wrong.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LabelIssue {
    /// The row.
    pub row: usize,
    /// The label that it has.
    pub given: usize,
    /// The class that it most likely is of.
    pub suggested: usize,
    /// How likely its label is beside the suggested one, below 1: see [`label_odds`].
    pub odds: f32,
}

/// Returns the rows whose labels are likely wrong, the least likely labels first, of equal ones
/// the lowest row. `probabilities` are to come from fits without the row
/// ([`cross_fitted`](crate::cross_fitted)).
///
/// How many they are is what confident learning counts: a class's threshold is the mean
/// probability that rows labelled with it have of it, and a row is counted if the likeliest class
/// whose threshold it reaches is not its label (Northcutt, Jiang and Chuang, Confident Learning,
/// 2021, equations 2 and 3). Which they are is told by [`label_odds`], which ranks changed labels
/// better than being counted does.
///
/// A class of one row is left alone: nothing can tell it.
pub fn label_issues(probabilities: &Probabilities, labels: &[usize]) -> Vec<LabelIssue> {
    let thresholds = thresholds(probabilities, labels);
    let mut issues: Vec<LabelIssue> = Vec::new();
    let mut count = 0;
    for (row, &given) in labels.iter().enumerate() {
        if thresholds[given].is_none() {
            continue;
        }
        let confident = confident(probabilities.row(row), &thresholds);
        count += usize::from(confident.is_some_and(|class| class != given));
        if let Some((suggested, odds)) = beside(probabilities.row(row), given)
            && odds < 1.0
        {
            issues.push(LabelIssue {
                row,
                given,
                suggested,
                odds,
            });
        }
    }
    // A stable sort: of equal ones the lowest row stays first.
    issues.sort_by(|a, b| a.odds.total_cmp(&b.odds));
    issues.truncate(count);
    issues
}

/// Returns for each row the probability of its label over that of the likeliest other class: the
/// lower, the likelier it is wrong.
pub fn label_odds(probabilities: &Probabilities, labels: &[usize]) -> Vec<f32> {
    let rows = labels.iter().enumerate();
    let odds = rows.map(|(row, &given)| beside(probabilities.row(row), given));
    odds.map(|odds| odds.map_or(f32::INFINITY, |(_, odds)| odds))
        .collect()
}

/// Returns the likeliest other class, and how likely the given one is beside it.
fn beside(shares: &[f32], given: usize) -> Option<(usize, f32)> {
    let others = (0..shares.len()).filter(|&class| class != given);
    let likelier = |best: usize, class: usize| match shares[class] > shares[best] {
        true => class,
        false => best,
    };
    let other = others.reduce(likelier)?;
    Some((other, shares[given] / shares[other].max(f32::MIN_POSITIVE)))
}

/// Returns the likeliest class whose threshold is reached.
fn confident(shares: &[f32], thresholds: &[Option<f32>]) -> Option<usize> {
    let mut best: Option<usize> = None;
    for (class, &share) in shares.iter().enumerate() {
        let is_likelier = best.is_none_or(|best| share > shares[best]);
        if thresholds[class].is_some_and(|least| share >= least) && is_likelier {
            best = Some(class);
        }
    }
    best
}

/// Returns each class's threshold; none for a class of fewer than two rows.
fn thresholds(probabilities: &Probabilities, labels: &[usize]) -> Vec<Option<f32>> {
    let mut sums = vec![(0f64, 0u32); probabilities.classes()];
    for (row, &label) in labels.iter().enumerate() {
        let (sum, rows) = &mut sums[label];
        *sum += f64::from(probabilities.row(row)[label]);
        *rows += 1;
    }
    let mean = |(sum, rows): (f64, u32)| (rows > 1).then(|| (sum / f64::from(rows)) as f32);
    sums.into_iter().map(mean).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_many_rows_as_are_counted_are_issues_those_of_the_lowest_odds() {
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
        // Thresholds: (0.9 + 0.8 + 0.2) / 3 and (0.9 + 0.7 + 0.5) / 3; one row is counted.
        let found = label_issues(&probabilities, &labels);
        assert_eq!(
            found,
            [LabelIssue {
                row: 2,
                given: 0,
                suggested: 1,
                odds: 0.2 / 0.8
            }]
        );
        assert_eq!(label_odds(&probabilities, &labels)[5], 1.0);
    }

    #[test]
    fn a_class_of_one_row_is_left_alone() {
        let shares = vec![
            0.9, 0.1, 0.0, 0.8, 0.2, 0.0, 0.1, 0.9, 0.0, 0.2, 0.8, 0.0, 0.9, 0.1, 0.0,
        ];
        let probabilities = Probabilities::new(shares, 3);
        assert!(label_issues(&probabilities, &[0, 0, 1, 1, 2]).is_empty());
        assert_eq!(label_issues(&probabilities, &[0, 0, 1, 1, 1])[0].row, 4);
    }
}
