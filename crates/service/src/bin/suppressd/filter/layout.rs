//! What kind of list it is, and where in it the addresses stand. What is not certain is asked for rather than guessed.

use anyhow::{Context as _, bail, ensure};
use serde_json::{Map, Value};

use super::names;
use crate::cli::FilterFormat;
use crate::list_file::{Csv, DELIMITERS, Source};

/// What is said of the list on the command line.
#[derive(Debug, Clone, Default)]
pub(super) struct Told {
    pub(super) format: Option<FilterFormat>,
    pub(super) column: Option<String>,
    pub(super) field: Option<String>,
}

/// Where the addresses stand.
pub(super) enum Layout {
    /// One a line.
    Plain,
    /// In a column, by its place. The header is not read yet.
    Csv { csv: Box<Csv>, column: usize },
    /// In a field of the object in each line.
    Ndjson { field: String },
}

impl Layout {
    /// Looks at the beginning of a list, and takes nothing of it. Empty lines in front are to be taken before.
    pub(super) fn of(source: &mut Source, told: &Told) -> anyhow::Result<Self> {
        match (told.format, &told.column, &told.field) {
            (Some(FilterFormat::Csv) | None, Some(_), None) | (Some(FilterFormat::Csv), None, None) => {
                of_csv(source, told.column.as_deref())
            }
            (Some(FilterFormat::Ndjson) | None, None, Some(_)) | (Some(FilterFormat::Ndjson), None, None) => {
                of_ndjson(source, told.field.as_deref())
            }
            (Some(FilterFormat::Plain), None, None) => Ok(Self::Plain),
            (None, None, None) => detected(source),
            (_, _, _) => bail!("--column is for CSV, and --field for NDJSON"),
        }
    }
}

fn detected(source: &mut Source) -> anyhow::Result<Layout> {
    let Some(length) = source.line()? else { return Ok(Layout::Plain) };
    let first = source.rest()[..length].trim_ascii();
    if first.starts_with(b"{") {
        return of_ndjson(source, None);
    }
    let has_delimiter = first.iter().any(|byte| DELIMITERS.contains(byte));
    if first.contains(&b'@') && !has_delimiter {
        return Ok(Layout::Plain);
    }
    of_csv(source, None).context("the list is no NDJSON and no plain list by its first line; say what it is by --format")
}

fn of_csv(source: &mut Source, wanted: Option<&str>) -> anyhow::Result<Layout> {
    let mut most = Vec::new();
    for delimiter in DELIMITERS {
        let mut header = Csv::new(delimiter);
        if header.record(source)?.is_none() {
            return Ok(Layout::Plain);
        }
        let found = header.names();
        if let Some(column) = names::find(&found, wanted)? {
            // A reader of its own: this one has read the header, and it is still to be handed on.
            return Ok(Layout::Csv { csv: Box::new(Csv::new(delimiter)), column });
        }
        if found.len() > most.len() {
            most = found;
        }
    }
    let what =
        wanted.map_or("none is known to hold addresses; name it by --column".to_owned(), |name| format!("{name:?} is none"));
    // A list without a header begins with somebody's address, which is nobody else's business.
    ensure!(!most.iter().any(|name| name.contains('@')), "the first line has an @, so it is no header; CSV needs one");
    bail!("the columns are {}: {what}", names::listed(&most))
}

fn of_ndjson(source: &mut Source, wanted: Option<&str>) -> anyhow::Result<Layout> {
    if let Some(field) = wanted {
        return Ok(Layout::Ndjson { field: field.to_owned() });
    }
    let Some(length) = source.line()? else { return Ok(Layout::Plain) };
    let first: Map<String, Value> = serde_json::from_slice(&source.rest()[..length])
        .context("the first line is no JSON object; name the field by --field")?;
    let found: Vec<String> = first.into_iter().map(|(name, _)| name).collect();
    match names::find(&found, None)? {
        Some(place) => Ok(Layout::Ndjson { field: found[place].clone() }),
        None => bail!("the fields are {}: none is known to hold addresses; name it by --field", names::listed(&found)),
    }
}
