//! Comments that steer this tool, as `# xupgrade: hold <reason>`: finds them in a manifest's text, which must be sound
//! TOML, and says which entry each speaks for. Pure text; markers that speak for nothing are not forgotten.

use std::collections::{BTreeMap, BTreeSet};

/// A person's wish that an entry stays as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hold {
    /// The words after `hold`; empty when there are none.
    pub reason: String,
}

/// An `xupgrade:` comment that holds nothing.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct LooseMarker {
    /// Its line, from 1.
    pub line: usize,
    /// The comment without its `#`.
    pub text: String,
}

/// The comments of one file.
pub(super) struct Markers {
    /// `xupgrade:` comments by line.
    marked: BTreeMap<usize, String>,
    /// Lines that hold a comment and nothing else.
    alone: BTreeSet<usize>,
    /// Lines whose marker was found to speak for an entry.
    used: BTreeSet<usize>,
}

impl Markers {
    pub(super) fn scan(text: &str) -> Self {
        let mut markers = Self { marked: BTreeMap::new(), alone: BTreeSet::new(), used: BTreeSet::new() };
        for (line, alone, comment) in comments(text) {
            let comment = comment.trim_start_matches('#').trim();
            if alone {
                markers.alone.insert(line);
            }
            if comment.starts_with("xupgrade:") {
                markers.marked.insert(line, comment.to_owned());
            }
        }
        markers
    }

    /// The hold that stands on one of these lines, or in the comment lines right above one of the anchors.
    pub(super) fn hold_at(&mut self, anchors: &[usize], lines: &BTreeSet<usize>) -> Option<Hold> {
        let above = |&anchor: &usize| (1..anchor).rev().take_while(|line| self.alone.contains(line));
        let candidates: BTreeSet<usize> = lines.iter().copied().chain(anchors.iter().flat_map(above)).collect();
        let mut holds = candidates.into_iter().filter_map(|line| Some((line, hold(self.marked.get(&line)?)?)));
        let (line, found) = holds.next()?;
        self.used.insert(line);
        Some(found)
    }

    /// The markers that no entry has used.
    pub(super) fn loose(self) -> Vec<LooseMarker> {
        let used = self.used;
        let loose = self.marked.into_iter().filter(|(line, _)| !used.contains(line));
        loose.map(|(line, text)| LooseMarker { line, text }).collect()
    }
}

fn hold(comment: &str) -> Option<Hold> {
    let rest = comment.strip_prefix("xupgrade:")?.trim_start().strip_prefix("hold")?;
    let ends = rest.is_empty() || rest.starts_with(|c: char| c.is_whitespace() || c == ':');
    ends.then(|| Hold { reason: rest.trim_start_matches(':').trim().to_owned() })
}

/// Every comment as line, whether it stands alone there, and text from the `#` on. Strings are skipped by TOML's rules,
/// <https://toml.io/en/v1.0.0#string>.
fn comments(text: &str) -> Vec<(usize, bool, &str)> {
    let (mut found, mut line, mut alone, mut at) = (Vec::new(), 1, true, 0);
    while let Some(next) = text[at..].chars().next() {
        let length = match next {
            '#' => text[at..].find('\n').unwrap_or(text.len() - at),
            '"' | '\'' => string_length(&text[at..], next),
            _ => next.len_utf8(),
        };
        let token = &text[at..at + length];
        match next {
            '#' => found.push((line, alone, token)),
            '\n' => (line, alone) = (line + 1, true),
            _ => {
                line += token.matches('\n').count();
                alone &= next.is_whitespace() || next == '\u{feff}';
            }
        }
        at += length;
    }
    found
}

/// The length of the string literal at the start of `text`, quotes included.
fn string_length(text: &str, quote: char) -> usize {
    let triple = text.starts_with(if quote == '"' { "\"\"\"" } else { "'''" });
    let fence = if triple { 3 } else { 1 };
    let mut escaped = false;
    for (at, found) in text.char_indices().skip(fence) {
        let closes = !escaped && text[at..].chars().take_while(|&c| c == quote).count() >= fence;
        if closes {
            // A multi-line string may end in up to two quotes of its own before the fence.
            return at + text[at..].chars().take_while(|&c| triple && c == quote).count().clamp(fence, 5);
        }
        escaped = quote == '"' && found == '\\' && !escaped;
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::comments;

    #[test]
    fn a_hash_within_a_string_begins_no_comment() {
        let text = "a = \"# no\" # yes\nb = '# \\' # also\nc = \"\\\" # no\"\n# alone\n";
        assert_eq!(comments(text), [(1, false, "# yes"), (2, false, "# also"), (4, true, "# alone")]);
    }

    #[test]
    fn a_multi_line_string_is_skipped_whole_and_its_lines_are_counted() {
        let text = "a = \"\"\"\n# no\n\\\"\"\" # no\n\"\"\"\"\" # yes\nb = '''\n# no '''' # last\n";
        assert_eq!(comments(text), [(4, false, "# yes"), (6, false, "# last")]);
    }
}
