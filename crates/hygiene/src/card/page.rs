use maud::{Markup, html};
use pairmill_report::format::count;
use pairmill_report::{Page, scrolling, section, warnings};
use pairmill_schema::agreeing;

use super::{Card, KindCard, SHOWN};
use crate::finding::Facts;
use crate::kind::{Family, Severity};

impl Card {
    /// Writes the card as a page that loads nothing.
    pub fn html(&self) -> String {
        let mut sections = vec![section("tables", "Tables", self.tables_table())];
        for family in self.families() {
            let (id, heading) = (id_of(family), family.title());
            sections.push(section(id, heading, self.family(family)));
        }
        let facts = html! { @for facts in &self.facts { (facts_table(facts)) } };
        sections.push(section("figures", "Figures", facts));
        sections.push(section("mended", "What was mended", self.mended_table()));
        let page = Page {
            task: "data card",
            title: &self.title,
            date: "",
            created_by: &self.created_by,
            head: html! {
                (self.answer())
                (warnings(&self.remarks))
            },
            sections: sections.into_iter().flatten().collect(),
        };
        page.html()
    }

    fn answer(&self) -> Markup {
        let class = match () {
            () if self.by_severity(Severity::Error) > 0 => "answer worse",
            () if self.findings > 0 => "answer unclear",
            () => "answer better",
        };
        html! {
            div class=(class) {
                p.sentence { (self.verdict()) }
                p.note {
                    "Each finding is a row of " (self.findings_file) "; every count below leads to \
                     the first of its rows here and says where the others are."
                }
            }
        }
    }

    fn tables_table(&self) -> Markup {
        let table = html! {
            table {
                thead { tr { th { "table" } th { "kind" } th { "split" } th.number { "rows" } th { "" } } }
                tbody {
                    @for table in &self.tables {
                        tr {
                            th { (table.name) }
                            td { (serde_name(&table.kind)) }
                            td { @if let Some(split) = &table.split { (serde_name(split)) } }
                            td.number { (count(table.rows)) }
                            td { @if table.is_checked { "checked" } @else { "compared with" } }
                        }
                    }
                }
            }
        };
        scrolling("Tables", &table)
    }

    fn family(&self, family: Family) -> Markup {
        let kinds = self.of(family);
        let table = html! {
            table {
                thead { tr {
                    th { "finding" } th { "severity" } th.number { "findings" } th.number { "rows" }
                    th { "what to do" }
                } }
                tbody {
                    @for kind in &kinds {
                        tr {
                            th { (kind.title) }
                            td { (kind.severity.name()) }
                            td.number {
                                @if kind.findings > 0 { a href={"#" (kind.kind)} { (count(kind.findings)) } }
                                @else { "0" }
                            }
                            td.number { (count(kind.rows)) }
                            td { @if kind.findings > 0 { (kind.remedy) } }
                        }
                    }
                }
            }
        };
        html! {
            (scrolling(family.title(), &table))
            @for kind in kinds.iter().filter(|kind| kind.findings > 0) { (self.sample(kind)) }
        }
    }

    fn sample(&self, kind: &KindCard) -> Markup {
        let has_tables = self.tables.iter().filter(|table| table.is_checked).count() > 1;
        let table = html! {
            table {
                thead { tr {
                    @if has_tables { th { "table" } }
                    th { "id" } th { "text" } th { "reason" } th { "beside" }
                } }
                tbody {
                    @for row in &kind.sample {
                        tr {
                            @if has_tables { td { (row.table) } }
                            td.id { (row.id) }
                            td.document { (row.excerpt) }
                            td { (row.detail) }
                            td.document {
                                @if let Some((id, text)) = &row.other { span.id { (id) } " " (text) }
                            }
                        }
                    }
                }
            }
        };
        let more = kind.findings > kind.sample.len() as u64;
        html! {
            h3 id=(kind.kind) { (kind.title) " (" (kind.kind) ")" }
            (scrolling(kind.title, &table))
            p.note {
                @if more { "The first " (SHOWN) " of " (count(kind.findings)) "; all are " }
                @else { (agreeing(kind.findings, "It is ", "They are ")) }
                (kind.place()) " of " (self.findings_file) "."
            }
        }
    }

    fn mended_table(&self) -> Markup {
        let Some(mended) = &self.mended else {
            return html! {};
        };
        html! {
            p.prose {
                (mended.file) " has " (count(mended.rows)) " rows: " (count(mended.dropped))
                " were dropped and " (count(mended.changed)) " texts and categories changed. Each is \
                 a row of " (mended.audit_file) ", with what stood there before."
            }
            dl.counts {
                @for (kind, count_of) in &mended.by_kind {
                    div { dt { (kind) } dd { (count(*count_of)) } }
                }
                @for (kind, (places, values)) in &mended.placeholders {
                    div { dt { "<" (kind) "_…>" } dd { (count(*places)) " of " (values) " values" } }
                }
            }
        }
    }
}

fn facts_table(facts: &Facts) -> Markup {
    let table = html! {
        table {
            thead { tr { @for name in &facts.header { th { (name) } } } }
            tbody {
                @for row in &facts.rows {
                    tr { @for cell in row { td.document { (cell) } } }
                }
            }
        }
    };
    html! { h3 { (facts.title) } (scrolling(&facts.title, &table)) }
}

fn id_of(family: Family) -> String {
    serde_name(&family)
}

/// The name of a variant as the JSON has it.
pub(super) fn serde_name(value: &impl serde::Serialize) -> String {
    let value = serde_json::to_value(value).ok();
    let name = value.as_ref().and_then(|value| value.as_str());
    name.unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use crate::card::example;

    #[test]
    fn every_count_leads_to_its_rows() {
        let html = example().html();
        assert!(html.contains("<a href=\"#email\">1,000</a>"));
        assert!(html.contains("<h3 id=\"email\">"));
        assert!(html.contains("rows 5 to 1004 of findings.parquet"));
        assert!(!html.contains("#near_duplicate"));
    }

    #[test]
    fn nothing_of_the_data_is_markup() {
        let html = example().html();
        assert!(html.contains("a | b &lt;b&gt;") && !html.contains("b <b>"));
    }
}
