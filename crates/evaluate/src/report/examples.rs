use std::collections::HashMap;

use maud::{Markup, html};
use pairmill_metrics::metric_title;
use pairmill_report::format::{self, cut, figure, signed};

use super::data::{Example, Examples, FoundDocument};
use super::tables::text;

/// Characters of a query that head its example.
const QUERY: usize = 160;
/// Characters of a document shown before it is opened.
const DOCUMENT: usize = 220;

pub(super) fn render(examples: &Examples, items: &str) -> Markup {
    let metric = metric_title(&examples.metric);
    let rose = format!("{} whose {metric} rose most", format::sentence_case(items));
    let fell = format!("{} whose {metric} fell most", format::sentence_case(items));
    html! {
        (list(&rose, "s0", &examples.gained))
        (list(&fell, "s1", &examples.lost))
    }
}

fn list(heading: &str, class: &str, examples: &[Example]) -> Markup {
    html! {
        @if !examples.is_empty() {
            h3 { (heading) }
            @for (number, example) in examples.iter().enumerate() {
                // The first is open, to show that the others can be.
                details.example open[number == 0] {
                    summary {
                        span.change.(class) { (signed(example.after - example.before, 3)) }
                        span.query
                            { (cut(&example.text, QUERY).unwrap_or_else(|| example.text.clone())) }
                        span.figures-of
                            { (example.id) " · " (figure(example.before, 3)) " → "
                            (figure(example.after, 3)) }
                    }
                    @if cut(&example.text, QUERY).is_some() { p.whole { (example.text) } }
                    div.results {
                        (results("Before", "s1", &example.results_before, None))
                        (results("After", "s0", &example.results_after,
                            Some(&example.results_before)))
                    }
                }
            }
        }
    }
}

/// A ranked list; `earlier` tells where each document was before.
fn results(
    heading: &str,
    class: &str,
    documents: &[FoundDocument],
    earlier: Option<&[FoundDocument]>,
) -> Markup {
    let ranks: Option<HashMap<&str, Option<u32>>> = earlier
        .filter(|earlier| !earlier.is_empty())
        .map(|earlier| {
            earlier
                .iter()
                .map(|document| (document.id.as_str(), document.rank))
                .collect()
        });
    html! {
        @if !documents.is_empty() {
            div {
                h4.(class) { (heading) }
                ol {
                    @for document in documents {
                        li.unfound[document.rank.is_none()] value=[document.rank] {
                            (grade(document.grade)) " "
                            @if document.rank.is_none()
                                { span.moved { "not among the results" } " " }
                            @else if let Some(ranks) = &ranks
                                { (moved(ranks.get(document.id.as_str()).copied().flatten(),
                                    document.rank)) " " }
                            span.id { (document.id) }
                            div.document { (text(&document.text, DOCUMENT)) }
                        }
                    }
                }
            }
        }
    }
}

fn grade(grade: Option<i32>) -> Markup {
    html! {
        @match grade {
            Some(grade) if grade > 1 => span.grade.relevant { "✓ relevant, grade " (grade) },
            Some(1) => span.grade.relevant { "✓ relevant" },
            Some(_) => span.grade { "not relevant" },
            None => span.grade { "not judged" },
        }
    }
}

fn moved(earlier: Option<u32>, rank: Option<u32>) -> Markup {
    html! {
        @match earlier {
            earlier if earlier == rank => {},
            Some(earlier) => span.moved { "was " (earlier) },
            None => span.moved { "new" },
        }
    }
}
