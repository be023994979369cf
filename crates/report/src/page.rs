use maud::{DOCTYPE, Markup, PreEscaped, html};

const STYLE: &str = concat!(
    include_str!("colours.css"),
    include_str!("page.css"),
    include_str!("charts/charts.css"),
    include_str!("details.css")
);

/// An HTML page without scripts that loads nothing.
pub struct Page<'a> {
    /// The command that made it.
    pub task: &'a str,
    /// Its heading.
    pub title: &'a str,
    /// The day it was made on, empty where that is not said.
    pub date: &'a str,
    /// Program and version.
    pub created_by: &'a str,
    /// What stands under the title.
    pub head: Markup,
    /// Its parts, in their order.
    pub sections: Vec<Section>,
}

/// A part of a page.
pub struct Section {
    id: String,
    heading: String,
    body: Markup,
}

/// Makes a part of a page; `None` where there is nothing to show.
pub fn section(id: impl Into<String>, heading: impl Into<String>, body: Markup) -> Option<Section> {
    (!body.0.is_empty()).then(|| Section {
        id: id.into(),
        heading: heading.into(),
        body,
    })
}

/// Shows what the reader has to know first.
pub fn warnings(warnings: &[String]) -> Markup {
    html! {
        @for warning in warnings { p.warning { strong { "Note. " } (warning) } }
    }
}

/// Puts charts side by side where there is room.
pub fn figures(charts: impl IntoIterator<Item = Markup>) -> Markup {
    let charts: Vec<Markup> = charts.into_iter().collect();
    html! {
        @if !charts.is_empty() {
            div.figures { @for chart in charts { (chart) } }
        }
    }
}

/// Lets a table scroll by itself where it is wider than the page.
pub fn scrolling(label: &str, table: &Markup) -> Markup {
    html! { div.scroll role="region" aria-label=(label) tabindex="0" { (table) } }
}

impl Page<'_> {
    /// Writes the page.
    pub fn html(&self) -> String {
        let page = html! {
            (DOCTYPE)
            html lang="en" {
                head {
                    meta charset="utf-8";
                    meta name="viewport" content="width=device-width, initial-scale=1";
                    meta name="color-scheme" content="light dark";
                    meta http-equiv="Content-Security-Policy"
                        content="default-src 'none'; style-src 'unsafe-inline'";
                    meta name="generator" content=(self.created_by);
                    title { (self.title) }
                    style { (PreEscaped(STYLE)) }
                }
                body {
                    header {
                        p.kicker {
                            "Pairmill"
                            @for part in [self.task, self.date] {
                                @if !part.is_empty() { " · " (part) }
                            }
                        }
                        h1 { (self.title) }
                        (self.head)
                    }
                    @if self.sections.len() > 1 {
                        nav aria-label="Parts of the report" {
                            @for section in &self.sections
                                { a href={"#" (section.id)} { (section.heading) } }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parsed_page::ParsedPage;

    #[test]
    fn a_page_is_sound_and_has_the_parts_that_show_something() {
        let parts = [
            section("one", "One", html! { p { "1 < 2" } }),
            section("two", "Two", html! {}),
        ];
        let page = Page {
            task: "abtest",
            title: "A <b>",
            date: "1 May 2026",
            created_by: "a program",
            head: warnings(&["a & b".to_owned()]),
            sections: parts.into_iter().flatten().collect(),
        };
        let page = ParsedPage::read(&page.html());
        page.assert_sound();
        assert_eq!(page.sections(), ["one"]);
        assert!(page.text.contains("a & b") && page.text.contains("1 < 2"));
        assert!(page.text.contains("Pairmill · abtest · 1 May 2026"));
    }
}
