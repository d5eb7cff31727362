//! Text files that a person names: read to a limit, so that a device or a mistaken path neither hangs nor fills the memory.
//! A byte order mark at the beginning is no part of the text.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

/// The text of the regular file at `path`, if it has at most `limit` bytes.
///
/// # Errors
/// It cannot be read, is no regular file, is larger, or is not UTF-8.
pub(crate) fn read(path: &Path, limit: u64) -> io::Result<String> {
    // Before it is opened: opening a pipe waits for its other end.
    if !std::fs::metadata(path)?.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is not a regular file"));
    }
    within(File::open(path)?, limit)
}

/// The text of `from`, if it has at most `limit` bytes.
///
/// # Errors
/// It cannot be read, is larger, or is not UTF-8.
pub(crate) fn within(from: impl Read, limit: u64) -> io::Result<String> {
    let mut text = String::new();
    from.take(limit + 1).read_to_string(&mut text)?;
    if text.len() as u64 > limit {
        let mib = limit.div_ceil(1 << 20);
        return Err(io::Error::new(io::ErrorKind::InvalidInput, format!("it is larger than {mib} MiB")));
    }
    Ok(without_mark(text))
}

/// The text without a byte order mark at its beginning.
pub(crate) fn without_mark(text: String) -> String {
    text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_no_end_is_refused_at_once() {
        let endless = read(Path::new("/dev/zero"), 10).unwrap_err();
        assert!(endless.to_string().contains("not a regular file"), "{endless}");
        let folder = read(&std::env::temp_dir(), 10).unwrap_err();
        assert!(folder.to_string().contains("not a regular file"), "{folder}");
        assert!(within(io::repeat(b'a'), 10).unwrap_err().to_string().contains("larger than 1 MiB"));
        assert_eq!(within(&b"0123456789"[..], 10).unwrap(), "0123456789");
    }

    #[test]
    fn a_byte_order_mark_is_no_part_of_the_text() {
        assert_eq!(within("\u{feff}{}".as_bytes(), 10).unwrap(), "{}");
        assert_eq!(within("{\u{feff}}".as_bytes(), 10).unwrap(), "{\u{feff}}");
    }
}
