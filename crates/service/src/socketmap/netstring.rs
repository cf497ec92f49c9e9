//! Netstrings: a length in decimal digits, a colon, so many bytes, and a comma.

use std::io;

use tokio::io::{AsyncBufRead, AsyncBufReadExt as _, AsyncReadExt as _};

/// Most digits of a length, the leading zeros that nobody sends included.
const MAX_LENGTH_DIGITS: usize = 6;

/// Reads one; none if the other side has ended before it. An error if it is none, or is longer than that many bytes: where the next
/// one begins is unknown then.
pub(super) async fn read(reader: &mut (impl AsyncBufRead + Unpin), max_bytes: usize) -> io::Result<Option<Vec<u8>>> {
    let mut length = Vec::new();
    // One more for the colon.
    let limit = (MAX_LENGTH_DIGITS + 1) as u64;
    if (&mut *reader).take(limit).read_until(b':', &mut length).await? == 0 {
        return Ok(None);
    }
    let digits = length.strip_suffix(b":").filter(|digits| digits.iter().all(u8::is_ascii_digit));
    let bytes = digits.and_then(|digits| std::str::from_utf8(digits).ok()?.parse::<usize>().ok());
    let bytes = bytes.filter(|bytes| *bytes <= max_bytes).ok_or(io::ErrorKind::InvalidData)?;
    let mut text = vec![0; bytes + 1];
    reader.read_exact(&mut text).await?;
    if text.pop() == Some(b',') { Ok(Some(text)) } else { Err(io::ErrorKind::InvalidData.into()) }
}

/// Puts text into one.
pub(super) fn of(text: &str) -> String {
    format!("{}:{text},", text.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn read_all(mut bytes: &[u8]) -> io::Result<Vec<String>> {
        let mut all = Vec::new();
        while let Some(text) = read(&mut bytes, 12).await? {
            all.push(String::from_utf8(text).unwrap());
        }
        Ok(all)
    }

    #[tokio::test]
    async fn what_is_written_is_read() {
        let texts = ["", "a", "1:a,", "hello, world"];
        let written: String = texts.iter().map(|text| of(text)).collect();
        assert_eq!(read_all(written.as_bytes()).await.unwrap(), texts);
    }

    #[tokio::test]
    async fn what_is_none_is_refused() {
        for bytes in
            ["a:b,", ":,", "-1:a,", "1:ab", "1:a;", "13:hello, world!,", "0000001:a,", "99999999999999999999:a,", "1", "2:a,"]
        {
            assert!(read_all(bytes.as_bytes()).await.is_err(), "{bytes}");
        }
    }
}
