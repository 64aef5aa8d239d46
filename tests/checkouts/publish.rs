//! What a run leaves in an odd checkout: one branch under a name that git can make and nobody else has, and nothing else.

use super::{Place, address};
use crate::common::{Env, promises, snapshot::Snapshot, text};

/// A run here publishes, keeps every promise that holds for any run, and says what it upgraded.
fn publishes(place: &mut Place, args: &[&str]) -> crate::common::Ran {
    let before = Snapshot::of(&place.at);
    place.env.world.repo.clone_from(&place.at);
    let ran = place.env.run(args);
    assert_eq!(ran.code, 0, "{}", ran.said());
    assert_eq!(ran.upgrades(), ["fine 1.0.0 -> 1.1.0"], "{}", ran.said());
    assert!(!ran.report["branch"].is_null(), "{}", ran.said());
    promises::hold(&place.env, &ran, &before);
    ran
}

#[test]
fn a_shallow_clone_gets_its_branch() {
    let env = Env::new("breaks_build");
    env.write("second", "").commit();
    let mut place = Place::beside(env);
    place.git_at_root(&["clone", "--quiet", "--depth=1", &address(place.env.repo()), "%"]);
    let ends = std::fs::read(place.at.join(".git/shallow")).unwrap();
    publishes(&mut place, &[]);
    assert_eq!(std::fs::read(place.at.join(".git/shallow")).unwrap(), ends);
    assert_eq!(place.git(&["fsck", "--no-dangling"]), "");
}

#[test]
fn a_partial_clone_gets_its_branch_and_no_object_of_its_origin() {
    let mut place = Place::beside(Env::new("breaks_build"));
    let address = address(place.env.repo());
    place.git_at_root(&["clone", "--quiet", "--filter=blob:none", "--sparse", &address, "%"]);
    let missing = |place: &Place| {
        let listed = place.git(&["rev-list", "--objects", "--missing=print", "main"]);
        listed.lines().filter(|line| line.starts_with('?')).map(str::to_owned).collect::<Vec<_>>()
    };
    let before = missing(&place);
    assert!(!before.is_empty());
    let copy = place.at.clone();
    let ran = {
        let before = Snapshot::of(&copy);
        place.env.world.repo.clone_from(&copy);
        let ran = place.env.run(&[]);
        assert_eq!(before.intrusions(&Snapshot::of(&copy)), [""; 0], "{}", ran.said());
        ran
    };
    assert_eq!((ran.code, ran.upgrades()), (0, vec!["fine 1.0.0 -> 1.1.0".to_owned()]), "{}", ran.said());
    assert_eq!(missing(&place), before, "objects of the origin were fetched");
    let tip = place.git(&["rev-parse", text(&ran.report, "branch")]);
    assert_eq!(
        (tip.as_str(), text(&ran.report, "tip_tree")),
        (text(&ran.report, "tip"), place.git(&["rev-parse", &format!("{tip}^{{tree}}")]).as_str())
    );
}

#[test]
fn a_name_that_others_hold_is_left_to_them() {
    let place = Place::new("breaks_build", &["clone", "--quiet", "@", "%"]);
    // A branch that leaves no room below it, a tag in the place of the flat name, and somebody's work at the next one.
    place.git(&["branch", "up"]);
    place.git(&["tag", "up-grade"]);
    place.git(&["checkout", "--quiet", "-b", "up-grade-2"]);
    place.git(&["commit", "--quiet", "--allow-empty", "--message=Mine"]);
    place.git(&["checkout", "--quiet", "main"]);
    place.git(&["branch", "up-grade-3/below"]);
    let before = place.git(&["for-each-ref"]);
    let mut place = place;
    let ran = publishes(&mut place, &["--branch", "up/grade"]);
    assert_eq!(text(&ran.report, "branch"), "up-grade-4");
    let after = place.git(&["for-each-ref"]);
    assert!(before.lines().all(|line| after.lines().any(|other| other == line)), "{after}");
}
