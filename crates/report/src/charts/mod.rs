//! Charts as inline SVG.
//!
//! Drawn here and not by a crate: plotters writes fixed colours and no tooltips, poloto has no
//! bars or intervals, charming needs JavaScript. Colours are classes, so that the page's style
//! sheet gives them for light and dark.

mod confusion;
mod figure;
mod forest;
mod histogram;
mod lines;
mod plot;
mod scatter;

pub use confusion::{ConfusionTable, confusion_matrix};
pub use forest::{ForestRow, forest};
pub use histogram::{Distribution, Distributions, histograms};
pub use lines::{
    Curve, LearningCurve, LearningPoint, Point, learning_curve, learning_curve_svg, line_chart,
    precision_recall, training_curves,
};
pub use scatter::{Change, Scatter, before_after};
