//! Units of tests by name: package and source file, whatever hash the name of the executable carries, and the words that select each.

use std::collections::BTreeMap;

use super::file_stem;
use crate::phrases::cargo;
use crate::trial::narrow::is_doc;
use crate::trial::{Executable, Reading, TestName};

/// `unittests src/lib.rs (target/debug/deps/app-0123456789abcdef)` names crate and source file. The hash changes with
/// every dependency, so it is no part of the name; the stem is kept behind a bar until the package is known.
pub(super) fn running_unit(rest: &str) -> String {
    let (source, path) = cargo::test_program(rest);
    let stem = file_stem(path).unwrap_or_default();
    format!("{stem}|{source}")
}

/// Puts the package's name in the place of the executable's, which carries a hash, and notes what selects each unit.
pub fn name_units(reading: &mut Reading, executables: &BTreeMap<String, Executable>) {
    for (test, end) in std::mem::take(&mut reading.tests) {
        let (unit, select) = unit_of(&test.unit, executables);
        if !select.is_empty() {
            reading.units.insert(unit.clone(), select);
        }
        reading.tests.insert(TestName { unit, name: test.name }, end);
    }
    let bare = std::mem::take(&mut reading.bare);
    for (unit, words) in bare {
        let (name, select) = unit_of(&unit, executables);
        // What a test prints of another cargo, or an old one that tells it at the end only, speaks of other units.
        let fits = !select.is_empty() && select.iter().all(|word| words.contains(word.as_str()));
        if fits || words.is_empty() {
            reading.bare.insert(name, words);
        }
    }
    for (unit, millis) in std::mem::take(&mut reading.millis) {
        *reading.millis.entry(unit_of(&unit, executables).0).or_default() += millis;
    }
}

/// The name of a unit, and the words that select it.
fn unit_of(unit: &str, executables: &BTreeMap<String, Executable>) -> (String, Vec<String>) {
    if let Some((stem, source)) = unit.split_once('|') {
        let bare = stem.rsplit_once('-').map_or(stem, |(name, _)| name);
        let known = executables.get(stem);
        let package = known.map_or(bare, |one| &one.package);
        return (format!("{package} {source}"), known.map(|one| one.select.clone()).unwrap_or_default());
    }
    let select = is_doc(unit).then(|| "--doc".to_owned());
    (unit.to_owned(), select.into_iter().collect())
}
