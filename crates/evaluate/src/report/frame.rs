use maud::{DOCTYPE, Markup, PreEscaped, html};

const STYLE: &str = include_str!("style.css");

/// An HTML page without scripts that loads nothing.
pub(crate) struct Page<'a> {
    /// The command that made it.
    pub task: &'a str,
    pub title: &'a str,
    /// Program and version.
    pub created_by: &'a str,
    /// What stands under the title.
    pub head: Markup,
    pub sections: Vec<Section>,
}

/// A part of a page.
pub(crate) struct Section {
    id: String,
    heading: String,
    body: Markup,
}

/// `None` where there is nothing to show.
pub(crate) fn section(
    id: impl Into<String>,
    heading: impl Into<String>,
    body: Markup,
) -> Option<Section> {
    (!body.0.is_empty()).then(|| Section {
        id: id.into(),
        heading: heading.into(),
        body,
    })
}

/// What the reader has to know first.
pub(crate) fn warnings(warnings: &[String]) -> Markup {
    html! {
        @for warning in warnings { p.warning { strong { "Note. " } (warning) } }
    }
}

/// Charts side by side where there is room.
pub(crate) fn figures(charts: impl IntoIterator<Item = Markup>) -> Markup {
    let charts: Vec<Markup> = charts.into_iter().collect();
    html! {
        @if !charts.is_empty() {
            div.figures { @for chart in charts { (chart) } }
        }
    }
}

impl Page<'_> {
    pub fn html(&self) -> String {
        let page = html! {
            (DOCTYPE)
            html lang="en" {
                head {
                    meta charset="utf-8";
                    meta name="viewport" content="width=device-width, initial-scale=1";
                    meta name="color-scheme" content="light dark";
                    meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'";
                    meta name="generator" content=(self.created_by);
                    title { (self.title) }
                    style { (PreEscaped(STYLE)) }
                }
                body {
                    header {
                        p.kicker { "Pairmill" @if !self.task.is_empty() { " · " (self.task) } }
                        h1 { (self.title) }
                        (self.head)
                    }
                    @if self.sections.len() > 1 {
                        nav aria-label="Parts of the report" {
                            @for section in &self.sections { a href={"#" (section.id)} { (section.heading) } }
                        }
                    }
                    main {
                        @for section in &self.sections {
                            section id=(section.id) {
                                h2 { (section.heading) }
                                (section.body)
                            }
                        }
                    }
                    @if !self.created_by.is_empty() {
                        footer { "Made by " (self.created_by) "." }
                    }
                }
            }
        };
        page.into_string()
    }
}
