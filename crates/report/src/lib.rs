//! What a person reads of a result: one HTML page that loads nothing, Markdown for a pull request,
//! and charts as inline SVG.
//!
//! Nothing here knows what was measured. [`Page`] is the frame of a page, [`markdown`] writes texts
//! of the user's so that nothing in them is markup, and [`mod@format`] writes figures alike in
//! both.

mod charts;
mod date;
mod estimate;
pub mod format;
pub mod markdown;
mod page;
#[cfg(test)]
mod parsed_page;

pub use charts::{
    Change, ConfusionTable, Curve, Distribution, Distributions, ForestRow, LearningCurve,
    LearningPoint, Point, Scatter, before_after, confusion_matrix, forest, histograms,
    learning_curve, learning_curve_svg, line_chart, precision_recall, training_curves,
};
pub use date::today;
pub use estimate::{Estimate, nan_if_null};
pub use page::{Page, Section, figures, scrolling, section, warnings};

/// The report of an output folder as Markdown.
pub const MARKDOWN_FILE: &str = "report.md";
/// The report of an output folder as a page.
pub const PAGE_FILE: &str = "report.html";
