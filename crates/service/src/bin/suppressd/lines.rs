//! Lines of a file or of standard input, none of them longer than what is ready to be held in memory.

use std::fs::File;
use std::io::{BufRead, BufReader, Read as _};
use std::path::Path;

use anyhow::{Context as _, bail};

/// Longest line, in bytes.
pub(crate) const MAX_LINE_BYTES: u64 = 1 << 20;

/// Lines without their ends. One that is too long is an error in its place; the next one is read all the same.
pub(crate) struct Lines {
    input: Box<dyn BufRead>,
    has_failed: bool,
}

impl Lines {
    pub(crate) fn of_file(path: &Path) -> anyhow::Result<Self> {
        let file = File::open(path).with_context(|| format!("cannot read {}", path.display()))?;
        Ok(Self { input: Box::new(BufReader::new(file)), has_failed: false })
    }

    pub(crate) fn of_standard_input() -> Self {
        Self { input: Box::new(BufReader::new(std::io::stdin())), has_failed: false }
    }

    /// Of standard input if the path is `-`.
    pub(crate) fn of_file_or_standard_input(path: &Path) -> anyhow::Result<Self> {
        if path.as_os_str() == "-" { Ok(Self::of_standard_input()) } else { Self::of_file(path) }
    }

    fn read(&mut self) -> anyhow::Result<Option<Vec<u8>>> {
        if self.has_failed {
            return Ok(None);
        }
        let mut line = Vec::new();
        let mut limited = (&mut self.input).take(MAX_LINE_BYTES + 1);
        // Nothing more comes after that, however often it is asked for.
        limited.read_until(b'\n', &mut line).inspect_err(|_| self.has_failed = true).context("cannot read on")?;
        if line.is_empty() {
            return Ok(None);
        }
        if line.last() == Some(&b'\n') {
            line.pop();
        } else if line.len() as u64 > MAX_LINE_BYTES {
            self.input.skip_until(b'\n').context("cannot read on")?;
            bail!("a line is longer than {MAX_LINE_BYTES} bytes");
        }
        Ok(Some(line))
    }
}

impl Iterator for Lines {
    type Item = anyhow::Result<Vec<u8>>;

    fn next(&mut self) -> Option<Self::Item> {
        self.read().transpose()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(input: Vec<u8>) -> Vec<Option<usize>> {
        let lines = Lines { input: Box::new(std::io::Cursor::new(input)), has_failed: false };
        lines.map(|line| line.ok().map(|line| line.len())).collect()
    }

    #[test]
    fn a_directory_ends_after_its_error() {
        assert_eq!(Lines::of_file(Path::new("/")).unwrap().map(|line| line.is_err()).collect::<Vec<_>>(), [true]);
    }

    #[test]
    fn a_line_that_is_too_long_costs_no_other() {
        let limit = usize::try_from(MAX_LINE_BYTES).unwrap();
        let long = [vec![b'x'; limit + 1], b"\n".to_vec()].concat();
        assert_eq!(lines([b"a\n".to_vec(), long, b"bc".to_vec()].concat()), [Some(1), None, Some(2)]);
        assert_eq!(lines([vec![b'x'; limit], b"\n\n".to_vec()].concat()), [Some(limit), Some(0)]);
        assert_eq!(lines(Vec::new()), []);
    }
}
