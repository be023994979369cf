//! Charts as inline SVG.
//!
//! Drawn here and not by a crate: plotters writes fixed colours and no tooltips, poloto has no
//! bars or intervals, charming needs JavaScript. Colours are classes, so that the page's style
//! sheet gives them for light and dark.

mod confusion;
mod forest;
mod histogram;
mod lines;
mod plot;
mod scatter;

pub use confusion::{ConfusionTable, confusion_matrix};
pub use forest::{ForestRow, forest};
pub use histogram::{Distribution, Distributions, histograms};
pub use lines::{
    Curve, LearningCurve, LearningPoint, Point, learning_curve, learning_curve_svg,
    precision_recall, training_curves,
};
pub use scatter::{Change, Scatter, before_after};

use maud::{Markup, html};

/// The class of the series of this number: the model is the first, the baseline the second.
fn series_class(number: usize) -> &'static str {
    ["s0", "s1", "s2", "s3", "s4", "s5"][number % 6]
}

/// A chart with its title, its legend and a remark.
struct Figure<'a> {
    title: &'a str,
    /// Class and name of each series; a single one needs no legend.
    legend: Vec<(&'static str, String)>,
    svg: Markup,
    note: String,
}

impl Figure<'_> {
    fn render(&self) -> Markup {
        html! {
            figure {
                figcaption {
                    h3 { (self.title) }
                    @if self.legend.len() > 1 {
                        ul.legend {
                            @for (class, name) in &self.legend {
                                li.(class) { (name) }
                            }
                        }
                    }
                }
                (self.svg)
                @if !self.note.is_empty() { p.note { (self.note) } }
            }
        }
    }
}
