//! The ratchet on words: doc summaries that open with a relative clause instead of naming the thing, and the word "what"
//! in comments, get fewer and never more.

use std::collections::{BTreeMap, BTreeSet};

use super::rust;

/// Openings that describe a thing and do not name it.
const CLAUSES: &[&str] = &[
    "What", "Whether", "Who", "Whom", "Whose", "How", "Where", "Which", "Why", "When", "So many", "That", "Those", "It",
];

/// The summaries that open so, in 1,000 summaries. It may only sink.
const CLAUSED: usize = 189;
/// The word "what" in 10,000 words of comments. It may only sink.
const WHATS: usize = 152;
/// A number that sank by this much is to be lowered here.
const STEP: usize = 10;
/// The limit of a file that is not in `OLD`: summaries that open so, in 100.
const LIMIT: usize = 5;

/// The files that were above `LIMIT` when it came. A file may leave this list; one that is renamed is renamed here, too.
const OLD: &str = include_str!("wording-old.txt");

/// The first lines of the doc comments of items, with their numbers.
fn summaries(text: &str) -> Vec<(usize, &str)> {
    let mut found = Vec::new();
    let mut before = None;
    for (index, line) in text.lines().enumerate() {
        let doc = line.trim_start().strip_prefix("///");
        if let (Some(words), None) = (doc, before) {
            found.push((index + 1, words.trim()));
        }
        before = doc;
    }
    found
}

fn is_clause(summary: &str) -> bool {
    let ends = |rest: &str| !rest.starts_with(|c: char| c.is_alphanumeric());
    CLAUSES.iter().any(|opening| summary.strip_prefix(opening).is_some_and(ends))
}

/// The summaries of a file that open with a clause.
fn clauses(text: &str) -> Vec<(usize, &str)> {
    summaries(text).into_iter().filter(|(_, summary)| is_clause(summary)).collect()
}

/// Parts in a whole of that scale, rounded up.
fn per(scale: usize, part: usize, whole: usize) -> usize {
    (part * scale).div_ceil(whole.max(1))
}

/// Fails where a number rose, and where it sank so far that the recorded one says nothing any more.
fn ratchet(name: &str, recorded: usize, now: usize) -> Result<(), String> {
    if now > recorded {
        return Err(format!("{name} rose from {recorded} to {now}: name the thing instead of describing it"));
    }
    if now + STEP <= recorded {
        return Err(format!("{name} sank from {recorded} to {now}: lower it in tests/tidy/wording.rs"));
    }
    Ok(())
}

#[test]
fn the_share_of_summaries_that_open_with_a_clause_only_sinks() {
    let files = rust();
    let all: usize = files.values().map(|text| summaries(text).len()).sum();
    let found: usize = files.values().map(|text| clauses(text).len()).sum();
    assert!(all > 1_000, "the summaries were not found: {all}");
    ratchet("CLAUSED", CLAUSED, per(1_000, found, all)).unwrap();
}

#[test]
fn a_file_that_is_new_names_things_in_its_summaries() {
    let old: BTreeSet<&str> = OLD.lines().collect();
    let mut wrong = Vec::new();
    let mut above = BTreeSet::new();
    for (path, text) in &rust() {
        let found = clauses(text);
        if found.len() * 100 <= summaries(text).len() * LIMIT {
            continue;
        }
        above.insert(path.clone());
        if !old.contains(path.as_str()) {
            wrong.extend(found.iter().map(|(line, summary)| format!("{path}:{line}: {summary}")));
        }
    }
    super::assert_none("name the thing (more than 5 % of the summaries of such a file open with a clause)", &wrong);
    let gone: Vec<String> = old.iter().filter(|path| !above.contains(**path)).map(|path| (*path).to_owned()).collect();
    super::assert_none("within the limit, or not there: take out of tests/tidy/wording-old.txt", &gone);
}

#[test]
fn the_word_what_in_comments_only_gets_rarer() {
    let (mut words, mut whats) = (0_usize, 0_usize);
    for text in rust().values() {
        let comments = text.lines().map(str::trim_start).filter(|line| line.starts_with("//"));
        for word in comments.flat_map(|line| line.trim_start_matches(['/', '!']).split_whitespace()) {
            words += 1;
            whats += usize::from(word.trim_matches(|c: char| !c.is_alphanumeric()).eq_ignore_ascii_case("what"));
        }
    }
    assert!(words > 10_000, "the comments were not found: {words}");
    ratchet("WHATS", WHATS, per(10_000, whats, words)).unwrap();
}

#[test]
fn the_ratchet_turns_one_way() {
    assert!(ratchet("X", 200, 200).is_ok() && ratchet("X", 200, 191).is_ok());
    assert!(ratchet("X", 200, 201).unwrap_err().contains("rose"));
    assert!(ratchet("X", 200, 190).unwrap_err().contains("lower it"));
    assert_eq!((per(1_000, 1, 3), per(1_000, 0, 0)), (334, 0));
}

#[test]
fn only_first_lines_of_items_count_and_only_whole_words() {
    let text = "//! What a header is.\n/// What it is.\n/// When it is.\nfn a() {}\n\n    /// It.\n    /// Itself.\n\
        /// So many of them.\n// Who.\n\n/// Items.\n";
    let found: BTreeMap<usize, &str> = clauses(text).into_iter().collect();
    assert_eq!(found, BTreeMap::from([(2, "What it is."), (6, "It.")]));
    assert!(is_clause("So many of them.") && is_clause("What.") && !is_clause("Whatever") && !is_clause("Items."));
    assert_eq!(summaries(text).len(), 3);
}
