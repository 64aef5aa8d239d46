//! Takes a job's output as it comes: bounded bytes to the log, bounded lines to whoever watches.
//! A job may print for ever, or without ever ending a line; neither may fill the disk or the memory.

use std::fs::File;
use std::io::{self, Write as _};
use std::path::Path;

/// Bytes kept from the end of an output that is longer than its limit.
pub(super) const TAIL: usize = 256 * 1024;
/// Bytes of one line that are passed on. Cargo's JSON messages are lines and carry whole diagnostics, so it is generous.
pub(super) const LINE: usize = 1024 * 1024;

/// The log of one job: its first bytes, its last ones, and a word on what is missing between.
pub(super) struct Log {
    file: File,
    head_left: u64,
    tail: Vec<u8>,
    left_out: u64,
    /// All bytes seen.
    pub(super) bytes: u64,
}

impl Log {
    /// Opens `path` to append to it.
    pub(super) fn open(path: &Path, limit: u64) -> io::Result<Self> {
        let file = File::options().append(true).create(true).open(path)?;
        Ok(Self { file, head_left: limit, tail: Vec::new(), left_out: 0, bytes: 0 })
    }

    /// Takes one piece of output. What belongs to the head is on disk when this returns.
    pub(super) fn take(&mut self, piece: &[u8]) -> io::Result<()> {
        self.bytes += piece.len() as u64;
        let head = piece.len().min(usize::try_from(self.head_left).unwrap_or(usize::MAX));
        self.file.write_all(&piece[..head])?;
        self.head_left -= head as u64;
        self.tail.extend_from_slice(&piece[head..]);
        // Cut only now and then: each cut moves what stays.
        if self.tail.len() > 4 * TAIL {
            self.cut_tail();
        }
        Ok(())
    }

    /// Writes what is still held back.
    pub(super) fn finish(&mut self) -> io::Result<()> {
        self.cut_tail();
        if self.left_out > 0 {
            let (left_out, kept) = (self.left_out, self.tail.len());
            let note = format!("\n*** xupgrade: {left_out} bytes of output left out; the last {kept} follow ***\n");
            self.file.write_all(note.as_bytes())?;
        }
        self.file.write_all(&self.tail)?;
        self.tail.clear();
        Ok(())
    }

    fn cut_tail(&mut self) {
        let excess = self.tail.len().saturating_sub(TAIL);
        self.tail.drain(..excess);
        self.left_out += excess as u64;
    }
}

/// Cuts output into lines. A line longer than [`LINE`] is passed on cut, with `…` at its end.
#[derive(Default)]
pub(super) struct Lines {
    begun: Vec<u8>,
    cut: bool,
}

impl Lines {
    /// Takes one piece and passes on each line that it ends.
    pub(super) fn take(&mut self, piece: &[u8], on_line: &mut dyn FnMut(&str)) {
        for part in piece.split_inclusive(|byte| *byte == b'\n') {
            match part.strip_suffix(b"\n") {
                Some(end) => {
                    self.add(end);
                    self.pass_on(on_line);
                }
                None => self.add(part),
            }
        }
    }

    /// Passes on a last line that nothing ended.
    pub(super) fn finish(&mut self, on_line: &mut dyn FnMut(&str)) {
        if !self.begun.is_empty() {
            self.pass_on(on_line);
        }
    }

    fn add(&mut self, part: &[u8]) {
        let room = part.len().min(LINE - self.begun.len());
        self.begun.extend_from_slice(&part[..room]);
        self.cut |= room < part.len();
    }

    fn pass_on(&mut self, on_line: &mut dyn FnMut(&str)) {
        let bytes = self.begun.strip_suffix(b"\r").unwrap_or(&self.begun);
        let mut line = String::from_utf8_lossy(bytes);
        if self.cut {
            line.to_mut().push('…');
        }
        on_line(&line);
        self.begun.clear();
        self.cut = false;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(pieces: &[&[u8]]) -> Vec<String> {
        let mut seen = Vec::new();
        let mut lines = Lines::default();
        for piece in pieces {
            lines.take(piece, &mut |line| seen.push(line.to_owned()));
        }
        lines.finish(&mut |line| seen.push(line.to_owned()));
        seen
    }

    fn log(name: &str, limit: u64, pieces: &[&[u8]]) -> Vec<u8> {
        let path = std::env::temp_dir().join(format!("xupgrade-output-{name}-{}", std::process::id()));
        let mut log = Log::open(&path, limit).unwrap();
        for piece in pieces {
            log.take(piece).unwrap();
        }
        log.finish().unwrap();
        let kept = std::fs::read(&path).unwrap();
        std::fs::remove_file(&path).unwrap();
        kept
    }

    #[test]
    fn lines_are_put_together_across_pieces_and_the_last_needs_no_end() {
        assert_eq!(lines(&[b"on", b"e\r\ntw", b"o\n\nthr", b"ee"]), ["one", "two", "", "three"]);
    }

    #[test]
    fn bytes_that_are_no_text_are_passed_on_as_replacement_characters() {
        assert_eq!(lines(&[b"a\xffb\n"]), ["a\u{fffd}b"]);
    }

    #[test]
    fn a_line_without_end_is_cut_and_the_next_one_is_whole() {
        let long = vec![b'x'; LINE + 10];
        let seen = lines(&[&long, &long, b"\nnext\n"]);
        assert_eq!(seen[0].len(), LINE + "…".len());
        assert!(seen[0].ends_with('…'));
        assert_eq!(seen[1], "next");
    }

    #[test]
    fn a_short_output_is_in_the_log_byte_for_byte() {
        assert_eq!(log("short", 4, &[b"ab", b"cdef", b"\xff\n"]), b"abcdef\xff\n");
    }

    #[test]
    fn a_long_output_keeps_its_start_and_its_end_and_the_log_counts_the_rest() {
        let middle = vec![b'm'; TAIL];
        let kept = log("long", 5, &[b"start", b"gone!", &middle, b"end"]);
        let text = String::from_utf8(kept).unwrap();
        assert!(text.starts_with("start\n*** xupgrade: 8 bytes of output left out; the last 262144 follow ***\nmmm"));
        assert!(text.ends_with("mmmend"));
    }
}
