use pairmill_tables::TableError;

/// The result of what this crate does.
pub type Result<T, E = ExperimentError> = std::result::Result<T, E>;

/// What can be wrong with the traffic or the log of an experiment.
#[derive(Debug, thiserror::Error)]
pub enum ExperimentError {
    /// An input table or an output is at fault.
    #[error(transparent)]
    Table(#[from] TableError),
    /// A column is absent.
    #[error("{path}: no column `{column}`; found {found}; name another one with {flag}")]
    NoColumn {
        /// The input as the user gave it.
        path: String,
        /// The absent column.
        column: String,
        /// The columns that are there.
        found: String,
        /// The flag that names another one.
        flag: &'static str,
    },
    /// The column to add is there.
    #[error("{path}: has a column `{column}` already; name the new one with --arm-column")]
    ColumnThere {
        /// The input as the user gave it.
        path: String,
        /// The column.
        column: String,
    },
    /// A column of the wrong type.
    #[error("{path}: column `{column}` is {found}; expected {expected}")]
    WrongType {
        /// The input as the user gave it.
        path: String,
        /// The column.
        column: String,
        /// Its type.
        found: String,
        /// What it should be.
        expected: &'static str,
    },
    /// A value that cannot be.
    #[error(
        "{path}: column `{column}` is {found} in row {row} (counted from 1, header not counted); \
         expected {expected}"
    )]
    WrongValue {
        /// The input as the user gave it.
        path: String,
        /// The column.
        column: String,
        /// Row number, from 1.
        row: u64,
        /// What was found.
        found: String,
        /// What it should be.
        expected: &'static str,
    },
    /// A log that says neither who clicked nor who was satisfied.
    #[error(
        "{path}: no column `clicks`, `clicked` or `satisfaction`; found {found}; name one with \
         --clicks-column or --satisfaction-column"
    )]
    NothingMeasured {
        /// The log.
        path: String,
        /// The columns that are there.
        found: String,
    },
    /// Spread is needed where a row stands for several answers.
    #[error(
        "{path}: row {row} (counted from 1, header not counted) sums up {answers} answers, whose \
         standard deviation is needed, but {missing}; write it there (divisor n - 1), or give \
         every answer a row of its own and leave the column `{count}` out"
    )]
    NoDeviation {
        /// The log.
        path: String,
        /// Row number, from 1.
        row: u64,
        /// The answers behind the mean.
        answers: u64,
        /// What is missing.
        missing: String,
        /// The column of counts.
        count: String,
    },
    /// A log of fewer arms than two.
    #[error("{path}: holds {found}; an A/B test compares at least two arms")]
    TooFewArms {
        /// The log.
        path: String,
        /// What there is.
        found: String,
    },
    /// A column that is none of arms.
    #[error(
        "{path}: column `{column}` holds more than {most} different arms; check that --arm-column \
         names the right one"
    )]
    TooManyArms {
        /// The log.
        path: String,
        /// The column.
        column: String,
        /// How many are taken.
        most: usize,
    },
    /// An arm of the log that has no weight.
    #[error(
        "{path}: --weights names {known}, but the log has the arm `{arm}`; give every arm its \
         weight"
    )]
    UnknownArm {
        /// The log.
        path: String,
        /// What the weights name.
        known: String,
        /// The arm.
        arm: String,
    },
    /// No such control.
    #[error("{path}: no arm `{control}`; found {found}; name the arm to compare with by --control")]
    NoControl {
        /// The log.
        path: String,
        /// The control.
        control: String,
        /// The arms that are there.
        found: String,
    },
    /// Not one arm to compare that has what the control has.
    #[error(
        "{path}: no arm can be compared with the control: {found}; click-through takes impressions \
         in both, satisfaction takes answers in both"
    )]
    NothingToCompare {
        /// The log.
        path: String,
        /// What each arm has.
        found: String,
    },
    /// More clicks than impressions.
    #[error(
        "{path}: the arm `{arm}` has {clicks} clicks in {impressions} impressions; count an \
         impression that was clicked twice once, or name the column of impressions with \
         --impressions-column"
    )]
    ClicksAboveImpressions {
        /// The log.
        path: String,
        /// The arm.
        arm: String,
        /// Its clicks.
        clicks: u64,
        /// Its impressions.
        impressions: u64,
    },
    /// More clicks than impressions in a row that sums up several.
    #[error(
        "{path}: row {row} (counted from 1, header not counted) has {clicks} clicks in \
         {impressions} impressions; count an impression that was clicked twice once, or name the \
         column of impressions with --impressions-column"
    )]
    ClicksOfRow {
        /// The log.
        path: String,
        /// Row number, from 1.
        row: u64,
        /// Its clicks.
        clicks: u64,
        /// Its impressions.
        impressions: u64,
    },
    /// A batch that Arrow refuses.
    #[error("a batch of rows cannot be put together")]
    Arrow(#[source] arrow::error::ArrowError),
}
