//! The splicer over generated documents, whose generator knows where each requirement stands: an oracle that shares nothing
//! with the code under test.

use std::collections::BTreeSet;
use std::ops::Range;

use proptest::prelude::*;

use super::super::{Place, read, set_requirement};
use super::{edited, manifest, place, usual_cases};

/// How one generated entry is written.
#[derive(Debug, Clone)]
struct Wanted {
    section: usize,
    name: usize,
    style: usize,
    quote: char,
    requirement: &'static str,
    comment: &'static str,
}

/// A generated document, and where the text of each requirement stands in it.
#[derive(Debug)]
struct Generated {
    text: String,
    entries: Vec<(Place, Range<usize>)>,
}

const SECTIONS: [&str; 8] = [
    "dependencies",
    "dev-dependencies",
    "build_dependencies",
    "workspace.dependencies",
    "target.'cfg(windows)'.dependencies",
    "target.\"cfg(a = \\\"b\\\")\".dev_dependencies",
    "target.x86_64-unknown-linux-gnu.build-dependencies",
    "target.'[=#\"]'.dependencies",
];
const NAMES: [&str; 6] = ["serde", "\"log\"", "'time'", "tokio-util", "url_1", "x"];
/// `V` is the requirement in its quotes; `{K}` the key, `{T}` the table.
const PLAIN: [&str; 6] = [
    "{K} = V",
    "{K}=V  ",
    "{K} = { version = V }",
    "{K} = { default_features = false, version = V, features = [ # \"1\"\n  'a',\n  \"b\" ] }",
    "{K}.version\t=  V\n{K}.features = ['version = 1']",
    "  {K} = {package=\"real\",version=V,optional=true}",
];
const TABLES: [&str; 2] = ["[{T}.{K}]\nversion = V", "[ {T} . {K} ] # '9'\nfeatures = [\"x\"]\nversion=V"];

fn wanted() -> impl Strategy<Value = Wanted> {
    let requirement = prop::sample::select(vec!["1", "1.2.3", "=0.1.2-beta.1+m", ">= 0.10 , <0.12", "*", "~0.3"]);
    let comment = prop::sample::select(vec!["", " # note '1' \"2\"", "\t# é → ü", " # xupgrade: hold r"]);
    let quote = prop::sample::select(vec!['"', '\'']);
    (0..SECTIONS.len(), 0..NAMES.len(), 0..PLAIN.len() + TABLES.len(), quote, requirement, comment).prop_map(
        |(section, name, style, quote, requirement, comment)| Wanted {
            section,
            name,
            style,
            quote,
            requirement,
            comment,
        },
    )
}

fn generated() -> impl Strategy<Value = Generated> {
    (prop::collection::vec(wanted(), 1..12), any::<bool>(), any::<bool>(), any::<bool>()).prop_map(
        |(mut wanted, bom, crlf, end)| {
            wanted.sort_by_key(|wanted| (wanted.section, wanted.style >= PLAIN.len(), wanted.name));
            let mut seen = BTreeSet::new();
            wanted.retain(|wanted| seen.insert((wanted.section, wanted.name)));
            let mut made = Generated { text: if bom { "\u{feff}" } else { "" }.to_owned(), entries: Vec::new() };
            let mut open = None;
            made.push("# head\n[package]\nname = 'it''s'\n\n".replace("''", "").as_str(), crlf);
            for wanted in &wanted {
                let plain = PLAIN.get(wanted.style);
                if plain.is_some() && open != Some(wanted.section) {
                    made.push(&format!("\n[{}]\n", SECTIONS[wanted.section]), crlf);
                    open = Some(wanted.section);
                }
                made.entry(wanted, plain.unwrap_or_else(|| &TABLES[wanted.style - PLAIN.len()]), crlf);
            }
            if !end {
                made.text.truncate(made.text.trim_end().len());
            }
            made
        },
    )
}

impl Generated {
    fn push(&mut self, text: &str, crlf: bool) {
        self.text += &if crlf { text.replace('\n', "\r\n") } else { text.to_owned() };
    }

    fn entry(&mut self, wanted: &Wanted, template: &str, crlf: bool) {
        let (table, key) = (SECTIONS[wanted.section], NAMES[wanted.name]);
        let (before, after) = template.split_once('V').expect("each template has one requirement");
        let filled = |text: &str| text.replace("{K}", key).replace("{T}", table);
        self.push(&format!("{}{}", filled(before), wanted.quote), crlf);
        let start = self.text.len();
        self.text += wanted.requirement;
        self.entries.push((place(table, key), start..self.text.len()));
        self.push(&format!("{}{}{}\n", wanted.quote, filled(after), wanted.comment), crlf);
    }
}

proptest! {
    #![proptest_config(usual_cases(3_000))]

    #[test]
    fn only_the_bytes_of_the_requirement_change(made in generated(), pick in any::<prop::sample::Index>(), new in prop::sample::select(vec!["2", "10.20.30", ">=1, <3", "=0.9.0-rc.1"])) {
        let (place, span) = &made.entries[pick.index(made.entries.len())];
        let before = manifest(&made.text);
        prop_assert_eq!(before.entries.len(), made.entries.len());
        let mut expected_text = made.text.clone();
        expected_text.replace_range(span.clone(), new);
        let after_text = edited(&made.text, &place.table, &place.key, new);
        prop_assert_eq!(&after_text, &expected_text);
        let mut expected = before;
        for entry in expected.entries.iter_mut().filter(|entry| entry.place == *place) {
            entry.requirement = Some(new.to_owned());
        }
        prop_assert_eq!(manifest(&after_text), expected);
        prop_assert_eq!(edited(&after_text, &place.table, &place.key, new), after_text);
    }
}

proptest! {
    #![proptest_config(usual_cases(400))]

    #[test]
    fn each_requirement_is_read_as_it_was_written(made in generated()) {
        let found = manifest(&made.text);
        for (place, span) in &made.entries {
            let entry = found.entries.iter().find(|entry| entry.place == *place);
            prop_assert_eq!(entry.and_then(|entry| entry.requirement.as_deref()), Some(&made.text[span.clone()]));
        }
    }

    #[test]
    fn a_damaged_manifest_is_an_error_or_is_edited_in_one_place(made in generated(), cut in any::<prop::sample::Index>(), length in 0_usize..40) {
        let mut bytes = made.text.into_bytes();
        let from = cut.index(bytes.len());
        bytes.drain(from..(from + length).min(bytes.len()));
        for entry in read(&bytes).map(|found| found.entries).unwrap_or_default() {
            if let Ok(after) = set_requirement(&bytes, &entry.place, "77") {
                let found = read(&after).expect("an edited manifest can be read").entries;
                let changed: Vec<_> = found.iter().filter(|entry| entry.requirement.as_deref() == Some("77")).collect();
                prop_assert_eq!(changed.len(), 1);
                prop_assert_eq!(&changed[0].place, &entry.place);
            }
        }
    }
}
