//! The tables that are read, and which part of the data each is.

use std::path::{Path, PathBuf};

use datafusion::prelude::{DataFrame, SessionContext};
use pairmill_hygiene::{Role, Split, TableKind, TextOf, texts_of};
use pairmill_tables::{
    ColumnNames, Format, Intake, KeptColumns, Lineage, RowFilter, Table, Taken, column_names,
    columns_of_name, open_with,
};
use tracing::warn;

use super::table_kind::{table_of, told};
use super::{CheckConfig, CheckError};
use crate::Result;

/// A table that is read.
#[derive(Debug)]
pub(super) struct Source {
    pub path: String,
    pub info: pairmill_hygiene::Table,
    pub table: Table,
    /// The columns of texts, those of the contract first.
    pub texts: Vec<TextOf>,
    /// Columns beside those of the contract that go along to a mended table.
    pub kept: Vec<String>,
    names: ColumnNames,
    /// The rows that are looked at.
    filter: Option<RowFilter>,
}

impl Source {
    /// Opens the table.
    pub async fn open(&self, session: &SessionContext) -> Result<(DataFrame, Taken)> {
        let contract = self.table.schema();
        let extra: Vec<&str> = (self.texts.iter().map(|(name, ..)| name.as_str()))
            .filter(|name| contract.field_with_name(name).is_err())
            .collect();
        let intake = Intake {
            filter: self.filter.as_ref(),
            edit: None,
        };
        Ok(open_with(session, &self.path, self.table, &self.names, &extra, intake).await?)
    }
}

/// Finds the tables to read, the one that is looked through first.
pub(super) async fn find(session: &SessionContext, config: &CheckConfig) -> Result<Vec<Source>> {
    let input = Path::new(&config.input);
    if let Some(lineage) = Lineage::of_folder(input)
        && lineage.stage.starts_with("generate ")
        && lineage.stage != "generate check"
    {
        if config.mends() {
            return Err(CheckError::SeveralTables {
                input: config.input.clone(),
            }
            .into());
        }
        if config.options.filter.is_some() {
            return Err(CheckError::FilterOfFolder {
                input: config.input.clone(),
            }
            .into());
        }
        return of_folder(session, config, input).await;
    }
    let finder = Finder { session, config };
    let mut first = finder
        .source(&config.input, config.options.kind, true)
        .await?;
    let mut others = Vec::new();
    for path in &config.against {
        others.push(finder.source(path, None, false).await?);
    }
    first.filter.clone_from(&config.options.filter);
    tell_splits(&mut first, &mut others);
    let companions = [
        (&config.corpus, TableKind::Corpus),
        (&config.queries, TableKind::Queries),
        (&config.qrels, TableKind::Qrels),
    ];
    let mut sources = vec![first];
    sources.extend(others);
    for (path, kind) in companions {
        if let Some(path) = path {
            sources.push(finder.source(path, Some(kind), false).await?);
        }
    }
    Ok(sources)
}

/// The splits of a folder that `generate` wrote.
async fn of_folder(
    session: &SessionContext,
    config: &CheckConfig,
    folder: &Path,
) -> Result<Vec<Source>> {
    let finder = Finder { session, config };
    let file = |name: &str| -> Option<PathBuf> {
        let path = folder.join(name);
        path.is_file().then_some(path)
    };
    let mut sources = Vec::new();
    for (split, name) in [
        (Split::Train, "train"),
        (Split::Dev, "dev"),
        (Split::Test, "test"),
    ] {
        let tables = [
            (format!("tickets_{name}.parquet"), TableKind::Tickets),
            (format!("pairs_{name}.parquet"), TableKind::Pairs),
            (format!("queries_{name}.parquet"), TableKind::Queries),
        ];
        let found = tables
            .iter()
            .find_map(|(table, kind)| Some((file(table)?, *kind)));
        let Some((path, kind)) = found else { continue };
        let mut source = finder
            .source(&path.to_string_lossy(), Some(kind), true)
            .await?;
        source.info.split = Some(split);
        sources.push(source);
    }
    // The corpus of tickets is the tickets.
    let is_of_tickets = sources
        .iter()
        .any(|source| source.info.kind == TableKind::Tickets);
    if let (Some(corpus), false) = (file("corpus.parquet"), is_of_tickets) {
        let corpus = corpus.to_string_lossy();
        sources.push(
            finder
                .source(&corpus, Some(TableKind::Corpus), true)
                .await?,
        );
        for name in ["qrels_train", "qrels_dev", "qrels_test"] {
            if let Some(path) = file(&format!("{name}.parquet")) {
                let kind = Some(TableKind::Qrels);
                sources.push(finder.source(&path.to_string_lossy(), kind, false).await?);
            }
        }
    }
    Ok(sources)
}

/// Warns that a table with more columns than those of queries is read as one.
fn warn_of_unread(path: &str, found: &[String]) {
    const OF_QUERIES: [&str; 6] = ["id", "_id", "text", "query", "question", "questions"];
    let others = found.iter().filter(|name| {
        let name = name.trim().to_lowercase();
        !OF_QUERIES.contains(&&*name)
    });
    let others: Vec<&str> = others.map(String::as_str).collect();
    if !others.is_empty() {
        warn!(
            "{path}: is taken for a table of queries, so nobody looks at {}; of questions with answers --answer-column names the answers, and --kind says what a table is",
            others.join(", ")
        );
    }
}

struct Finder<'a> {
    session: &'a SessionContext,
    config: &'a CheckConfig,
}

impl Finder<'_> {
    async fn source(
        &self,
        path: &str,
        kind: Option<TableKind>,
        is_checked: bool,
    ) -> Result<Source> {
        let options = &self.config.options;
        let is_trec = Format::of_name(Path::new(path)) == Some(Format::Trec);
        let found = match path {
            _ if path == "-" || is_trec => Vec::new(),
            _ => column_names(self.session, path).await?,
        };
        let kind = match kind {
            Some(kind) => kind,
            None if path == "-" => return Err(CheckError::KindOfStream.into()),
            None if is_trec => TableKind::Qrels,
            None => self.told(path, &found)?,
        };
        let table = table_of(kind, &found);
        let mut texts = texts_of(table);
        let names = self.names(
            path,
            table,
            &texts,
            kind,
            (!is_checked).then_some(found.as_slice()),
        );
        let mut kept = Vec::new();
        let mut personal = Vec::new();
        if is_checked {
            kept = self.kept(path, table, &names).await?;
            for column in &options.personal_columns {
                if table.schema().field_with_name(column).is_ok() {
                    return Err(CheckError::PersonalText {
                        input: path.to_owned(),
                        column: column.clone(),
                    }
                    .into());
                }
            }
            let others = kept.iter().chain(&options.personal_columns);
            for name in others {
                if !texts.iter().any(|(known, ..)| known == name) {
                    texts.push((name.clone(), Role::Other, None));
                }
            }
            let is_personal = |(name, ..): &TextOf| options.personal_columns.contains(name);
            personal = (0..texts.len())
                .filter(|&at| is_personal(&texts[at]))
                .collect();
        }
        let info = pairmill_hygiene::Table {
            personal,
            ..pairmill_hygiene::Table::new(path, kind, &texts, is_checked)
        };
        Ok(Source {
            info,
            path: path.to_owned(),
            table,
            texts,
            kept,
            names,
            filter: None,
        })
    }

    /// The kind of a table by its columns, those that options name under their names.
    fn told(&self, path: &str, found: &[String]) -> Result<TableKind> {
        let named = &self.config.options.columns.named;
        let is_there = |(_, name): &&(&str, String)| has(path, found, name);
        let renamed = named
            .iter()
            .filter(is_there)
            .map(|(ours, _)| (*ours).to_owned());
        let names: Vec<String> = found.iter().cloned().chain(renamed).collect();
        let unknown = || CheckError::UnknownKind {
            input: path.to_owned(),
            found: found.join(", "),
        };
        let kind = told(&names).ok_or_else(unknown)?;
        if kind == TableKind::Queries {
            warn_of_unread(path, found);
        }
        Ok(kind)
    }

    /// What the columns are called. The options name those of the table that is looked through;
    /// others, of which `found` are the columns, have them where they have columns of these names.
    fn names(
        &self,
        path: &str,
        table: Table,
        texts: &[TextOf],
        kind: TableKind,
        found: Option<&[String]>,
    ) -> ColumnNames {
        let contract = table.schema();
        let is_ours = |(column, name): &&(&str, String)| {
            let is_there = found.is_none_or(|found| has(path, found, name));
            is_there && contract.field_with_name(column).is_ok()
        };
        let named: Vec<_> = (self.config.options.columns.named.iter().filter(is_ours))
            .map(|(column, name)| (*column, Some(name.as_str())))
            .collect();
        let is_named = |id: &str| named.iter().any(|(column, _)| *column == id);
        let mut names = ColumnNames::new(named.iter().copied());
        // Judgements name passages and queries by their ids; all else may do without.
        if kind != TableKind::Qrels {
            let ids = texts.iter().filter_map(|(_, _, id)| id.as_deref());
            for id in ids.filter(|id| !is_named(id)) {
                names = names.with_optional(id);
            }
        }
        names
    }

    async fn kept(&self, path: &str, table: Table, names: &ColumnNames) -> Result<Vec<String>> {
        let options = &self.config.options;
        if options.kept == KeptColumns::All {
            // What else a stream has is known only while it is read.
            if path == "-" && self.config.mends() {
                warn!("other columns of standard input go along only if --keep-columns names them");
            }
            let is_trec = Format::of_name(Path::new(path)) == Some(Format::Trec);
            if path == "-" || is_trec || !self.config.mends() {
                return Ok(Vec::new());
            }
        }
        let kept = options
            .kept
            .of_input(self.session, path, (table, names), &[], table)
            .await?;
        Ok(kept.names().into_iter().map(str::to_owned).collect())
    }
}

/// Whether an input has the column of this name, or all of several that are joined.
fn has(path: &str, found: &[String], name: &str) -> bool {
    columns_of_name(path, name, found).is_ok_and(|columns| columns.is_some())
}

/// Tells which splits tables are by their names; else the first is what is learned from, and the
/// others are what is measured on.
fn tell_splits(first: &mut Source, others: &mut [Source]) {
    if others.is_empty() {
        return;
    }
    let told: Vec<Option<Split>> = others.iter().map(|other| split_of(&other.path)).collect();
    let of_first = split_of(&first.path).unwrap_or(match told.contains(&Some(Split::Train)) {
        true => Split::Test,
        false => Split::Train,
    });
    let of_others = match of_first {
        Split::Train => Split::Test,
        Split::Dev | Split::Test => Split::Train,
    };
    first.info.split = Some(of_first);
    for (other, told) in others.iter_mut().zip(told) {
        other.info.split = Some(told.unwrap_or(of_others));
    }
    // Two tables of one name are two parts all the same.
    if others
        .iter()
        .all(|other| other.info.split == first.info.split)
    {
        first.info.split = Some(Split::Train);
        for other in others {
            other.info.split = Some(Split::Test);
        }
    }
}

/// The split that a file's name tells, as `tickets_train.parquet` does.
fn split_of(path: &str) -> Option<Split> {
    let name = Path::new(path)
        .file_stem()?
        .to_string_lossy()
        .to_lowercase();
    let mut words = name.split(|letter: char| !letter.is_alphanumeric());
    words.find_map(|word| match word {
        "train" | "training" => Some(Split::Train),
        "dev" | "val" | "valid" | "validation" => Some(Split::Dev),
        "test" | "testing" | "eval" => Some(Split::Test),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_tell_splits_by_whole_words() {
        for (path, split) in [
            ("a/tickets_train.parquet", Some(Split::Train)),
            ("Test-2024.csv", Some(Split::Test)),
            ("data.val.jsonl", Some(Split::Dev)),
            ("training_test.csv", Some(Split::Train)),
            ("latest.csv", None),
            ("train/all.csv", None),
        ] {
            assert_eq!(split_of(path), split, "{path}");
        }
    }
}
