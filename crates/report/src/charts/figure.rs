use maud::{Markup, html};

/// The class of the series of this number: the model is the first, the baseline the second.
pub(super) fn series_class(number: usize) -> &'static str {
    ["s0", "s1", "s2", "s3", "s4", "s5"][number % 6]
}

/// A chart with its title, its legend and a remark.
pub(super) struct Figure<'a> {
    pub title: &'a str,
    /// Class and name of each series; a single one needs no legend.
    pub legend: Vec<(&'static str, String)>,
    pub svg: Markup,
    pub note: String,
}

impl Figure<'_> {
    pub fn render(&self) -> Markup {
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
