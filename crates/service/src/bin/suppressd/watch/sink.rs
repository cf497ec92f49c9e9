//! Where lines go, and the token from which more of them follow.

use std::fs::File;
use std::io::{BufWriter, Read as _, Seek as _, SeekFrom, Stdout, Write as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use serde_json::Value;
use suppressd_service::proto::WatchSuppressionsResponse;
use tempfile::NamedTempFile;

use super::line::line;

/// Longest line, in bytes: a token, an address, and words.
const MAX_LINE_BYTES: u64 = 32 << 10;

/// Longest token in a file, in bytes.
const MAX_TOKEN_BYTES: u64 = 16 << 10;

/// Where lines go.
pub(super) struct Sink {
    out: Out,
    as_json: bool,
    /// Where what was written ends.
    token: String,
}

enum Out {
    /// Lines, each with its token: what is in the file and where it goes on are the same thing.
    File(BufWriter<File>),
    Printed {
        out: BufWriter<Stdout>,
        token_file: Option<PathBuf>,
        kept: String,
    },
}

impl Sink {
    pub(super) fn open(output: Option<PathBuf>, token_file: Option<PathBuf>, as_json: bool) -> anyhow::Result<Self> {
        if let Some(path) = output {
            let (file, token) = reopen(&path).with_context(|| format!("cannot go on in {}", path.display()))?;
            return Ok(Self { out: Out::File(BufWriter::new(file)), as_json: true, token });
        }
        let token = token_file.as_deref().map(read_token).transpose()?.unwrap_or_default();
        let out = Out::Printed { out: BufWriter::new(std::io::stdout()), token_file, kept: token.clone() };
        Ok(Self { out, as_json, token })
    }

    /// Up to where lines were written.
    pub(super) fn token(&self) -> &str {
        &self.token
    }

    pub(super) fn write(&mut self, response: WatchSuppressionsResponse) -> anyhow::Result<()> {
        if let Some(line) = line(&response, self.as_json) {
            match &mut self.out {
                Out::File(file) => writeln!(file, "{line}"),
                Out::Printed { out, .. } => writeln!(out, "{line}"),
            }
            .context("cannot write on")?;
        }
        self.token = response.token;
        Ok(())
    }

    /// Lets go of what was written, and only then notes where it ends.
    pub(super) fn settle(&mut self) -> anyhow::Result<()> {
        match &mut self.out {
            Out::File(file) => file.flush().context("cannot write on"),
            Out::Printed { out, token_file, kept } => {
                out.flush().context("cannot write on")?;
                match token_file {
                    Some(path) if *kept != self.token => {
                        write_token(path, &self.token).with_context(|| format!("cannot write {}", path.display()))?;
                        kept.clone_from(&self.token);
                        Ok(())
                    }
                    Some(_) | None => Ok(()),
                }
            }
        }
    }
}

fn read_token(path: &Path) -> anyhow::Result<String> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(String::new()),
        Err(error) => return Err(error).with_context(|| format!("cannot read {}", path.display())),
    };
    let mut token = String::new();
    file.take(MAX_TOKEN_BYTES).read_to_string(&mut token).with_context(|| format!("cannot read {}", path.display()))?;
    Ok(token.trim().to_owned())
}

/// Puts a token in the place of the one before it, whole or not at all, and waits until it is on the disk.
fn write_token(path: &Path, token: &str) -> anyhow::Result<()> {
    let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut unfinished = NamedTempFile::new_in(directory)?;
    writeln!(unfinished, "{token}")?;
    unfinished.as_file().sync_all()?;
    unfinished.persist(path)?;
    Ok(File::open(directory)?.sync_all()?)
}

/// Opens a file behind its last whole line, and gives the token of that one; none of a file that is new.
fn reopen(path: &Path) -> anyhow::Result<(File, String)> {
    let mut file = File::options().read(true).write(true).create(true).truncate(false).open(path)?;
    if file.try_lock().is_err() {
        bail!("another process writes it");
    }
    let length = file.metadata()?.len();
    let begin = length.saturating_sub(2 * MAX_LINE_BYTES);
    file.seek(SeekFrom::Start(begin))?;
    let mut end = Vec::new();
    (&file).take(2 * MAX_LINE_BYTES).read_to_end(&mut end)?;
    let (whole, token) = last_line(&end, begin == 0).context("its last line is none of watch")?;
    // What was cut off was not dealt with, and comes again.
    let whole = begin + whole as u64;
    file.set_len(whole)?;
    file.seek(SeekFrom::Start(whole))?;
    Ok((file, token))
}

/// How much of the end of a file ends with a whole line, and that line's token. After a loss of power the last ones may be anything;
/// what stands before them is what was written.
fn last_line(mut end: &[u8], is_all: bool) -> Option<(usize, String)> {
    // Nothing, or nothing but the beginning of a first line.
    if is_all && !end.contains(&b'\n') && end.first().is_none_or(|first| *first == b'{') {
        return Some((0, String::new()));
    }
    while let Some(place) = end.iter().rposition(|byte| *byte == b'\n') {
        let begin = end[..place].iter().rposition(|byte| *byte == b'\n').map_or(0, |before| before + 1);
        let line: Option<Value> = serde_json::from_slice(&end[begin..place]).ok();
        if let Some(token) = line.and_then(|line| Some(line.get("token")?.as_str()?.to_owned())) {
            return Some((place + 1, token));
        }
        end = &end[..begin];
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_ends_with_its_last_whole_line() {
        let line = |token: &str| format!("{{\"token\":\"{token}\"}}\n");
        let two = line("one") + &line("two");
        for rest in ["", "{", "{\"token\":\"thr", "{\"token\":\"three\"}", "\0\0\0", "\0\0\n\0"] {
            let text = two.clone() + rest;
            assert_eq!(last_line(text.as_bytes(), true), Some((two.len(), "two".to_owned())), "{rest:?}");
        }
        for first in ["", "{", "{\"tok"] {
            assert_eq!(last_line(first.as_bytes(), true), Some((0, String::new())));
        }
    }

    #[test]
    fn a_file_of_somebody_else_is_left_alone() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("notes");
        for text in ["dear diary", "dear diary\n", "a,b\n1,2\n"] {
            std::fs::write(&path, text).unwrap();
            assert!(reopen(&path).is_err(), "{text:?}");
            assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
        }
    }

    #[test]
    fn one_process_writes_a_file() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("changes.ndjson");
        let first = reopen(&path).unwrap();
        assert!(reopen(&path).unwrap_err().to_string().contains("another process"));
        drop(first);
        assert!(reopen(&path).is_ok());
    }
}
