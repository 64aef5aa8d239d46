//! Which atoms are written along with another one, and where a step that was written serves again.

use super::*;
use crate::candidate::{Candidate, Place};

fn candidate(project: &str, name: &str) -> Candidate {
    let place = Place { manifest: "Cargo.toml".into(), table: "dependencies".into(), key: name.into(), registry: None };
    let mut candidate = Candidate::of(name, &["1.1.0", "1.2.0"]);
    candidate.id.project = project.into();
    candidate.id.places = vec![place];
    candidate
}

fn atom(members: &[usize]) -> Atom {
    Atom::new(members.iter().map(|&candidate| Member { candidate, rung: 0 }))
}

#[test]
fn only_a_later_atom_that_the_refusal_names_and_the_same_project_requires_is_written_along() {
    let mut unplaced = candidate("cargo .", "helper");
    unplaced.id.places.clear();
    let plan = Plan::of(
        "base",
        vec![
            candidate("cargo .", "one"),
            candidate("cargo .", "fine"),
            candidate("cargo .", "two"),
            candidate("cargo fuzz", "two"),
            unplaced,
            candidate("cargo .", "four"),
        ],
    );
    let names = ["two".to_owned(), "helper".to_owned(), "four".to_owned()].into();
    let later = [atom(&[1]), atom(&[2]), atom(&[3]), atom(&[4]), atom(&[1, 5])];
    let found: Vec<&Atom> = named(&plan, &"cargo .".into(), &later, &names).collect();
    assert_eq!(found, [&atom(&[2]), &atom(&[1, 5])], "what moves as one comes as one");
}

#[test]
fn a_step_serves_again_only_where_its_refusals_would_take_the_same_along() {
    let plan = Plan::of("base", ["one", "two", "three", "four"].map(|name| candidate("cargo .", name)).to_vec());
    let step = |whole: &[usize], names: &[&str]| Step {
        tested: "t".into(),
        written: Written { atom: atom(whole), tree: "t".into(), effects: BTreeMap::new() },
        named: [("cargo .".into(), names.iter().map(|name| (*name).to_owned()).collect())].into(),
    };
    let with = step(&[0, 2], &["helper", "three"]);
    let serves = |step: &Step, rest: &[&[usize]]| {
        takes_the_same(&plan, step, &rest.iter().map(|members| atom(members)).collect::<Vec<_>>())
    };
    assert!(serves(&with, &[&[0], &[1], &[2]]));
    assert!(!serves(&with, &[&[0], &[1]]), "alone it is another tree");
    assert!(!serves(&with, &[&[0], &[1, 2]]), "what comes as one comes as one");
    assert!(serves(&with, &[&[0, 2], &[1]]), "as it was written");
    let alone = step(&[0], &["helper", "four"]);
    assert!(serves(&alone, &[&[0], &[1]]) && !serves(&alone, &[&[0], &[3]]), "the refusal would name it now");
    assert!(serves(&step(&[0], &[]), &[&[0], &[3]]));
}
