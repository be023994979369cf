use std::fmt::Write as _;

use pairmill_report::format::count;
use pairmill_report::markdown::{code, plain, plain_table};
use pairmill_schema::agreeing;

use super::page::serde_name;
use super::{Card, KindCard, SHOWN};

impl Card {
    /// Writes the card as Markdown.
    pub fn markdown(&self) -> String {
        let mut page = format!("# {}\n\n{}\n", plain(&self.title), self.verdict());
        for remark in &self.remarks {
            let _ = write!(page, "\n> {}\n", plain(remark));
        }
        let _ = write!(page, "\n## Tables\n\n");
        let mut rows = vec![header(&["table", "kind", "split", "rows", ""])];
        rows.extend(self.tables.iter().map(|table| {
            vec![
                table.name.clone(),
                serde_name(&table.kind),
                table.split.as_ref().map(serde_name).unwrap_or_default(),
                count(table.rows),
                if table.is_checked {
                    "checked"
                } else {
                    "compared with"
                }
                .to_owned(),
            ]
        }));
        plain_table(&mut page, &rows);
        for family in self.families() {
            let _ = write!(page, "\n## {}\n\n", family.title());
            let _ = writeln!(page, "| finding | severity | findings | rows |");
            let _ = writeln!(page, "| --- | --- | ---: | ---: |");
            for kind in self.of(family) {
                let found = match kind.findings {
                    0 => "0".to_owned(),
                    found => format!("[{}](#{})", count(found), kind.kind),
                };
                let _ = writeln!(
                    page,
                    "| {} | {} | {found} | {} |",
                    kind.title,
                    kind.severity.name(),
                    count(kind.rows)
                );
            }
            for kind in self.of(family).into_iter().filter(|kind| kind.findings > 0) {
                self.sample_markdown(&mut page, kind);
            }
        }
        for facts in &self.facts {
            let _ = write!(page, "\n## {}\n\n", plain(&facts.title));
            let rows: Vec<Vec<String>> = std::iter::once(facts.header.clone())
                .chain(facts.rows.iter().cloned())
                .collect();
            plain_table(&mut page, &rows);
        }
        if let Some(mended) = &self.mended {
            let _ = write!(
                page,
                "\n## What was mended\n\n{} has {} rows: {} were dropped and {} texts and \
                 categories changed. Each is a row of {}.\n\n",
                code(&mended.file),
                count(mended.rows),
                count(mended.dropped),
                count(mended.changed),
                code(&mended.audit_file)
            );
            for (kind, count_of) in &mended.by_kind {
                let _ = writeln!(page, "- {kind}: {}", count(*count_of));
            }
            for (kind, (places, values)) in &mended.placeholders {
                let label = code(&format!("<{kind}_…>"));
                let _ = writeln!(page, "- {label}: {} of {values} values", count(*places));
            }
        }
        let _ = write!(page, "\nMade by {}.\n", plain(&self.created_by));
        page
    }

    fn sample_markdown(&self, page: &mut String, kind: &KindCard) {
        let _ = write!(
            page,
            "\n### {}\n\n{}: {}.\n\n",
            kind.kind, kind.title, kind.remedy
        );
        let mut rows = vec![header(&["id", "text", "reason", "beside"])];
        rows.extend(kind.sample.iter().map(|row| {
            let other = row.other.as_ref();
            let other = other.map(|(id, text)| format!("{id}: {text}"));
            vec![
                row.id.clone(),
                row.excerpt.clone(),
                row.detail.clone(),
                other.unwrap_or_default(),
            ]
        }));
        plain_table(page, &rows);
        let more = match kind.findings > kind.sample.len() as u64 {
            true => format!("The first {SHOWN} of {}; all are ", count(kind.findings)),
            false => agreeing(kind.findings, "It is ", "They are ").to_owned(),
        };
        let _ = write!(
            page,
            "\n{more}{} of {}.\n",
            kind.place(),
            code(&self.findings_file)
        );
    }
}

fn header(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use crate::card::example;

    #[test]
    fn counts_lead_to_headings_and_nothing_of_the_data_is_markup() {
        let page = example().markdown();
        assert!(page.contains("[1,000](#email)"), "{page}");
        assert!(page.contains("\n### email\n"));
        assert!(page.contains("rows 5 to 1004 of `findings.parquet`"));
        assert!(page.contains("a &#124; b &#60;b&#62;"));
        assert!(page.contains("other &#42;text&#42;"));
    }
}
