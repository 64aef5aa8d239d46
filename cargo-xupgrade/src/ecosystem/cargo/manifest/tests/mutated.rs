//! The splicer over manifests that people wrote, with a few tokens of TOML thrown in or taken out: what still parses must
//! be edited in one value only, judged by another reader (`toml_text`). `scripts/fuzz-manifest` runs this a million times,
//! with every manifest of cargo's own source cache as seeds (`XUPGRADE_FUZZ_CORPUS`); a usual test run takes the seeds below.

use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use proptest::prelude::*;

use super::super::{Entry, read, set_requirement};
use super::usual_cases;
use crate::machine::toml_text::{self, Table, Value};

/// Manifests of the shapes that are found in the wild.
const SEEDS: [&str; 5] = [
    "[package]\nname = \"a\"\nedition = \"2021\"\n\n[dependencies]\n# why 1\nserde = { version = \"1.0.100\", features = [\n  \"derive\", # in use\n] }\nlog = '0.4' # note\nregex.version = \"1.5\"\nregex.default-features = false\n\n[dev-dependencies]\n\"tempfile\" = \"3\"\n",
    "\u{feff}[workspace]\r\nmembers = [\"x\"]\r\n\r\n[workspace.dependencies]\r\nclap = { version = \"4.0\" }\r\nitertools = \">=0.10, <0.12\"\r\n",
    "[project]\nname = 'old'\n[dependencies.url]\nversion = \"2.2\"\n[target.\"cfg(windows)\".dependencies]\nwinapi = \"0.3\"\n[target.x86_64-unknown-linux-gnu.dev_dependencies.tempfile]\nversion = '3.1'\n[build_dependencies]\ncc = \"=1.0.79\"\n",
    "dependencies = { a = \"1\", b = { version = '2', optional = true }, c.version = \"3\" }\n[features]\nx = [\"dep:b\"]\n",
    "[package]\nname = \"p\"\nversion = \"1.0\"\n[package.metadata]\nversion = \"1.0\"\nd = 1979-05-27T07:32:00Z\n[dependencies]\nrand_07 = { package = \"rand\", version = \"0.7\" }\nrand = \"0.8\"\nlib = { path = \"../lib\", version = \"1.0\" }\nw = { workspace = true }\ng = { git = \"https://example.com/g\", version = \"1\" }\n[[bin]]\nname = \"b\"\n[patch.crates-io]\nrand = { path = \"rand\" }\n",
];

/// What a careless hand types.
const TOKENS: [&str; 24] = [
    "\n",
    "\r\n",
    "\t",
    " ",
    "\"",
    "'",
    "\"\"\"",
    "'''",
    "\\u0031",
    "\\\"",
    "#",
    "# \"1\"\n",
    "=",
    ".",
    ",",
    "[",
    "]",
    "{",
    "}",
    "[dependencies]\n",
    "version = \"1\"\n",
    "\nx = '1.2'\n",
    "é",
    "\u{feff}",
];

/// Seeds and, where the script names one, the manifests of a folder.
static CORPUS: LazyLock<Vec<String>> = LazyLock::new(|| {
    let mut found: Vec<String> = SEEDS.iter().map(|seed| (*seed).to_owned()).collect();
    if let Some(folder) = std::env::var_os("XUPGRADE_FUZZ_CORPUS") {
        collect(Path::new(&folder), &mut found);
    }
    found
});

fn collect(folder: &Path, found: &mut Vec<String>) {
    let mut paths: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    for path in paths {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        match path.symlink_metadata() {
            Ok(about) if about.is_dir() => collect(&path, found),
            Ok(about) if about.is_file() && name.starts_with("Cargo.toml") => {
                found.extend(std::fs::read_to_string(&path));
            }
            _ => {}
        }
    }
}

/// One slip: at a place in the text, take some bytes out and put a token in.
type Slip = (prop::sample::Index, usize, Option<usize>);

fn slips() -> impl Strategy<Value = Vec<Slip>> {
    prop::collection::vec((any::<prop::sample::Index>(), 0_usize..6, prop::option::of(0..TOKENS.len())), 0..4)
}

fn slipped(seed: &str, slips: &[Slip]) -> String {
    let mut text = seed.to_owned();
    for (place, taken, token) in slips {
        let on_character =
            |at: usize| (0..=at.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
        let from = on_character(place.index(text.len() + 1));
        let to = on_character(from + taken).max(from);
        text.replace_range(from..to, token.map_or("", |token| TOKENS[token]));
    }
    text
}

/// The values in which two documents differ: where, before, after. A table with other keys is one difference.
fn differences(before: &Value, after: &Value, path: &mut Vec<String>, found: &mut Vec<(Vec<String>, Value, Value)>) {
    match (before, after) {
        (Value::Table(a), Value::Table(b)) if a.keys().eq(b.keys()) => {
            for (key, value) in a {
                path.push(key.clone());
                differences(value, &b[key], path, found);
                path.pop();
            }
        }
        _ if before == after => {}
        _ => found.push((path.clone(), before.clone(), after.clone())),
    }
}

fn value(text: &str) -> Table {
    toml_text::parse(text.trim_start_matches('\u{feff}')).expect("another reader takes it as well")
}

/// What stays of `before` and of `after` without their common beginning and end.
fn middle<'a>(before: &'a str, after: &'a str) -> (&'a str, &'a str) {
    let same = |a: &mut dyn Iterator<Item = char>, b: &mut dyn Iterator<Item = char>| {
        a.zip(b).take_while(|(a, b)| a == b).map(|(a, _)| a.len_utf8()).sum::<usize>()
    };
    let head = same(&mut before.chars(), &mut after.chars());
    let (before, after) = (&before[head..], &after[head..]);
    let tail = same(&mut before.chars().rev(), &mut after.chars().rev());
    (&before[..before.len() - tail], &after[..after.len() - tail])
}

fn check(text: &str, entry: &Entry, new: &str) {
    let Some(old) = &entry.requirement else { return };
    let Ok(edited) = set_requirement(text.as_bytes(), &entry.place, new) else { return };
    let edited = String::from_utf8(edited).expect("text stays text");
    let mut found = Vec::new();
    differences(&value(text).into(), &value(&edited).into(), &mut Vec::new(), &mut found);
    if old == new {
        assert_eq!(found, [], "{text}");
    } else {
        let [(path, was, is)] = &found[..] else { panic!("{found:?} in:\n{text}") };
        assert!(path.contains(&entry.name), "{path:?} in:\n{text}");
        assert_eq!((was.as_str(), is.as_str()), (Some(old.as_str()), Some(new)), "{text}");
    }
    let (gone, come) = middle(text, &edited);
    assert!(new.contains(come) && (old.contains(gone) || gone.contains('\\')), "{gone:?} became {come:?} in:\n{text}");
    let again = set_requirement(edited.as_bytes(), &entry.place, new).expect("what was edited can be edited");
    assert_eq!(again, edited.as_bytes(), "twice is as once:\n{text}");
}

proptest! {
    #![proptest_config(usual_cases(2_000))]

    #[test]
    fn a_manifest_with_slips_is_an_error_or_edited_in_one_value(seed in any::<prop::sample::Index>(), slips in slips(), new in prop::sample::select(vec!["2", "10.20.30", ">=1, <3", "=0.9.0-rc.1"])) {
        let text = slipped(&CORPUS[seed.index(CORPUS.len())], &slips);
        for entry in read(text.as_bytes()).map(|found| found.entries).unwrap_or_default() {
            check(&text, &entry, new);
        }
    }
}

#[test]
fn most_seeds_without_slips_are_edited() {
    let edits = |text: &String| {
        let entries = read(text.as_bytes()).map(|found| found.entries).unwrap_or_default();
        entries.iter().filter(|entry| set_requirement(text.as_bytes(), &entry.place, "9").is_ok()).count()
    };
    let (seeds, edited) = (CORPUS.len(), CORPUS.iter().filter(|text| edits(text) > 0).count());
    assert!(edited >= SEEDS.len() && edited * 2 > seeds, "{edited} of {seeds}");
}
