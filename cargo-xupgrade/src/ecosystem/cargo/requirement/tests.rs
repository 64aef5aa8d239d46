//! What requirement arithmetic promises: examples first, then properties over generated requirements and versions.

use proptest::prelude::*;
use semver::Version;

use super::*;
use crate::candidate::{Level, Promise, level};

fn v(text: &str) -> Version {
    Version::parse(text).expect("test versions are versions")
}

#[track_caller]
fn raised(text: &str, to: &str) -> String {
    match raise(text, &v(to)) {
        Raise::To(new) => new,
        other => panic!("{text} to {to}: {other:?}"),
    }
}

#[track_caller]
fn floor_raised(text: &str, to: &str) -> String {
    match raise_floor(text, &v(to)) {
        Raise::To(new) => new,
        other => panic!("{text} to {to}: {other:?}"),
    }
}

#[test]
fn the_form_is_as_the_author_wrote_it() {
    for (text, wanted) in [
        ("1.2", Form::Caret),
        ("^1.2", Form::Caret),
        ("~1.2", Form::Tilde),
        ("=1.2.3", Form::Exact),
        ("1.*", Form::Wildcard),
        ("*", Form::Wildcard),
        (">=1.2", Form::Range),
        (">=1.2, <2", Form::Range),
    ] {
        assert_eq!(form(text), Ok(wanted), "{text}");
    }
    assert!(form("one").is_err_and(|error| error.to_string().contains("`one`")));
}

#[test]
fn a_caret_keeps_its_precision() {
    assert_eq!(raised("1.2", "2.3.1"), "2.3");
    assert_eq!(raised("1", "2.5.0"), "2");
    assert_eq!(raised("0.8.5", "0.9.1"), "0.9.1");
    assert_eq!(raised("0.8", "0.10.4"), "0.10");
    assert_eq!(raised("0", "1.4.0"), "1");
    assert_eq!(raised("0.0.3", "0.0.4"), "0.0.4");
}

#[test]
fn operators_and_spaces_stay() {
    assert_eq!(raised("^1.2", "2.3.1"), "^2.3");
    assert_eq!(raised("~1.2", "1.4.3"), "~1.4");
    assert_eq!(raised("~ 1.2.3", "1.4.3"), "~ 1.4.3");
    assert_eq!(raised("=1.2.3", "1.2.9"), "=1.2.9");
    assert_eq!(raised("= 1.2", "1.4.9"), "= 1.4");
    assert_eq!(raised(">= 0.10 ,<0.12 ", "0.14.0"), ">= 0.10 ,<0.15 ");
}

#[test]
fn a_wildcard_stays_a_wildcard() {
    assert_eq!(raised("1.*", "2.3.4"), "2.*");
    assert_eq!(raised("1.2.*", "1.4.0"), "1.4.*");
    assert_eq!(raised("1.x", "2.3.4"), "2.x");
    assert_eq!(raise("*", &v("9.0.0")), Raise::AlreadyAdmits);
}

#[test]
fn a_range_keeps_its_floor_and_widens_its_ceiling() {
    assert_eq!(raised(">=0.10, <0.12", "0.14.0"), ">=0.10, <0.15");
    assert_eq!(raised(">=0.15, <0.17", "0.18.8"), ">=0.15, <0.19");
    assert_eq!(raised("1.2, <1.9", "1.16.5"), "1.2, <1.17");
    assert_eq!(raised(">=1, <2", "2.3.1"), ">=1, <3");
    assert_eq!(raised("<2", "2.3.1"), "<3");
    assert_eq!(raised(">=1.0.0, <2.0.0", "2.3.1"), ">=1.0.0, <3.0.0");
    assert_eq!(raised(">=0.1.0, <0.2.0", "0.2.5"), ">=0.1.0, <0.3.0");
    assert_eq!(raised(">=1, <1.4.7", "1.4.7"), ">=1, <1.4.8");
}

#[test]
fn a_ceiling_that_counts_in_goes_to_the_version_itself() {
    assert_eq!(raised("<=1.5", "1.6.2"), "<=1.6");
    assert_eq!(raised(">=1, <=1.5.3", "1.6.2"), ">=1, <=1.6.2");
    assert_eq!(raise(">=1, <=1.5", &v("1.5.9")), Raise::AlreadyAdmits);
}

#[test]
fn a_caret_within_a_range_is_raised_across_a_break() {
    assert_eq!(raised("1.2, <1.9", "2.3.1"), "2.3, <2.4");
}

#[test]
fn what_is_admitted_already_is_left_alone() {
    for (text, to) in
        [("1.2", "1.9.0"), ("1.2.3", "1.2.3"), ("~1.2", "1.2.9"), (">=1", "7.0.0"), ("1.2.3+meta", "1.2.3")]
    {
        assert_eq!(raise(text, &v(to)), Raise::AlreadyAdmits, "{text} to {to}");
    }
}

#[test]
fn a_floor_is_raised_on_request_as_far_as_the_precision_goes() {
    assert_eq!(floor_raised("1.2", "1.4.3"), "1.4");
    assert_eq!(floor_raised("1.2.0", "1.4.3"), "1.4.3");
    assert_eq!(floor_raised("~1.2.3", "1.2.7"), "~1.2.7");
    assert_eq!(floor_raised("0.8.5", "0.8.6"), "0.8.6");
    for (text, to) in [("1", "1.5.0"), ("1.2", "1.2.9"), ("1.*", "1.5.0"), (">=1, <2", "1.5.0"), ("1.2.3+a", "1.2.3+b")]
    {
        assert_eq!(raise_floor(text, &v(to)), Raise::AlreadyAdmits, "{text} to {to}");
    }
}

#[test]
fn a_prerelease_goes_on_to_the_stable_version() {
    assert_eq!(raised("0.9.0-beta.1", "0.9.5"), "0.9.5");
    assert_eq!(raised("0.9.0-beta.1", "0.9.0"), "0.9.0");
    assert_eq!(raised("=0.9.0-beta.1", "0.9.0"), "=0.9.0");
    assert_eq!(raise("0.9.0-beta.1", &v("0.9.0-beta.2")), Raise::AlreadyAdmits);
    assert_eq!(floor_raised("0.9.0-beta.1", "0.9.0-beta.2"), "0.9.0-beta.2");
}

#[test]
fn a_prerelease_target_is_named_in_full() {
    assert_eq!(raised("=0.9.0-beta.1", "0.9.0-beta.2"), "=0.9.0-beta.2");
    assert_eq!(raised("1.2", "2.0.0-rc.1"), "2.0.0-rc.1");
}

#[test]
fn build_metadata_are_never_written() {
    assert_eq!(raised("1.0", "2.1.2+spec-1.1.0"), "2.1");
    assert_eq!(raised("1.0.0", "2.1.2+zstd.1.5.6"), "2.1.2");
    assert_eq!(raised("1.0.0+old", "2.1.2+new"), "2.1.2");
    assert_eq!(raised("1.0.0", "2.0.0-rc.1+new"), "2.0.0-rc.1");
}

#[test]
fn what_cannot_be_raised_says_why() {
    let refusal = |text: &str, to: &str| match raise(text, &v(to)) {
        Raise::Refused(refusal) => refusal,
        other => panic!("{text} to {to}: {other:?}"),
    };
    assert_eq!(refusal("1.2", "1.1.9"), Refusal::BelowFloor { floor: v("1.2.0"), to: v("1.1.9") });
    assert_eq!(refusal(">=2", "1.9.0"), Refusal::BelowFloor { floor: v("2.0.0"), to: v("1.9.0") });
    assert_eq!(refusal("1.*", "2.0.0-rc.1"), Refusal::NotInThisForm { text: "1.*".into(), to: v("2.0.0-rc.1") });
    assert_eq!(refusal(">=1.2", "1.3.0-rc.1"), Refusal::NotInThisForm { text: ">=1.2".into(), to: v("1.3.0-rc.1") });
    assert_eq!(refusal(">=2, <1", "3.0.0"), Refusal::AdmitsNothing { text: ">=2, <1".into() });
    assert!(refusal("soon", "3.0.0").to_string().contains("soon"));
}

#[test]
fn a_floor_is_the_lowest_version_admitted() {
    for (text, wanted) in [
        ("1.2", "1.2.0"),
        ("=0.9.0-beta.1", "0.9.0-beta.1"),
        (">1", "2.0.0"),
        (">1.2", "1.3.0"),
        (">1.2.3", "1.2.4"),
        (">1.2.3-beta.1", "1.2.3-beta.1.0"),
        ("<2", "0.0.0"),
        ("*", "0.0.0"),
        (">=0.10, <0.12", "0.10.0"),
        ("1.2.*, >=1.2.3-beta", "1.2.3"),
    ] {
        assert_eq!(floor(text), Some(v(wanted)), "{text}");
    }
    assert_eq!(floor(">=2, <1"), None);
    assert_eq!(floor("soon"), None);
}

#[test]
fn compatibility_is_the_leftmost_number_that_is_not_zero() {
    for (a, b, same) in [
        ("1.2.3", "1.9.0", true),
        ("1.9.0", "2.0.0", false),
        ("0.3.1", "0.3.9", true),
        ("0.3.1", "0.4.0", false),
        ("0.0.3", "0.0.4", false),
        ("0.0.3", "0.0.3", true),
        ("0.0.3", "0.3.0", false),
        ("0.3.0", "3.0.0", false),
    ] {
        assert_eq!(compatible(&v(a), &v(b)), same, "{a} {b}");
    }
}

fn cargo_level(from: &Version, to: &Version) -> Level {
    level(Promise::LeftmostNumber, &from.clone().into(), &to.clone().into())
}

#[test]
fn the_level_is_the_position_that_changed_under_cargos_rule() {
    for (from, to, wanted) in [
        ("1.2.3", "1.2.4", Level::Patch),
        ("1.2.3", "1.3.0", Level::Minor),
        ("1.2.3", "2.0.0", Level::Major),
        ("0.31.0", "0.32.0", Level::Major),
        ("0.3.1", "0.3.2", Level::Patch),
        ("0.0.1", "0.0.2", Level::Major),
        ("0.9.0-beta.1", "0.9.0", Level::Patch),
    ] {
        assert_eq!(cargo_level(&v(from), &v(to)), wanted, "{from} {to}");
    }
}

#[test]
fn build_metadata_do_not_count() {
    assert!(admits("=2.1.2", &v("2.1.2+zstd.1.5.6")));
    assert!(same_version(&v("1.0.0+a"), &v("1.0.0+b")));
    assert!(!same_version(&v("1.0.0-a"), &v("1.0.0")));
}

fn number() -> impl Strategy<Value = u64> {
    prop_oneof![3 => Just(0), 4 => 1_u64..4, 1 => 9_u64..12]
}

fn version() -> impl Strategy<Value = Version> {
    let pre = prop_oneof![5 => Just(""), 1 => Just("-beta.1"), 1 => Just("-rc.2")];
    let build = prop_oneof![4 => Just(""), 1 => Just("+spec-1.1.0")];
    (number(), number(), number(), pre, build).prop_map(|(a, b, c, pre, build)| v(&format!("{a}.{b}.{c}{pre}{build}")))
}

fn stable() -> impl Strategy<Value = Version> {
    (number(), number(), number()).prop_map(|(a, b, c)| Version::new(a, b, c))
}

fn comparator() -> impl Strategy<Value = String> {
    let operator = prop::sample::select(vec!["", "", "^", "~", "=", ">=", ">", "<", "<=", ">= ", "~ "]);
    let wildcard = (version(), 1_usize..3)
        .prop_map(|(v, n)| [&v.major.to_string(), &v.minor.to_string()].map(String::as_str)[..n].join(".") + ".*");
    let plain = (operator, version(), 1_usize..4).prop_map(|(operator, v, precision)| match precision {
        1 => format!("{operator}{}", v.major),
        2 => format!("{operator}{}.{}", v.major, v.minor),
        _ => format!("{operator}{v}"),
    });
    prop_oneof![8 => plain, 1 => wildcard]
}

fn ceiling() -> impl Strategy<Value = String> {
    let bound =
        (stable(), 1_usize..4).prop_map(|(v, n)| [v.major, v.minor, v.patch].map(|n| n.to_string())[..n].join("."));
    (prop::sample::select(vec!["<", "<=", ">=0, <", ">=0.1, <= "]), bound)
        .prop_map(|(before, bound)| before.to_owned() + &bound)
}

fn requirement() -> impl Strategy<Value = String> {
    let separator = prop::sample::select(vec![", ", ",", " , "]);
    let several = (comparator(), separator, comparator()).prop_map(|(a, comma, b)| format!("{a}{comma}{b}"));
    prop_oneof![5 => comparator(), 3 => several, 1 => Just("*".to_owned())]
}

/// The floor; for several comparators without its pre-release, for `<=0, >=0.0.0-beta.1` admits the version its author wrote
/// as the lowest only after its ceiling has gone up.
fn bound(text: &str) -> Option<Version> {
    let floor = floor(text)?;
    let stable = Version::new(floor.major, floor.minor, floor.patch);
    Some(if text.contains(',') { stable } else { floor })
}

/// The operators, dots, wildcards and spaces: what is left of a text without its versions' numbers.
fn skeleton(text: &str) -> String {
    text.split(',')
        .map(|piece| {
            piece.split(['-', '+']).next().unwrap_or("").replace(|c: char| c.is_ascii_digit(), "").trim_end().to_owned()
                + ","
        })
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 5_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_raised_requirement_admits_the_version_keeps_its_floor_and_is_raised_once(text in requirement(), to in version()) {
        for raising in [raise, raise_floor] {
            match raising(&text, &to) {
                Raise::To(new) => {
                    prop_assert!(admits(&new, &to), "{text} to {to}: {new} does not admit it");
                    prop_assert!(bound(&new) >= bound(&text), "{text} to {to}: {new} is lower");
                    prop_assert_eq!(raising(&new, &to), Raise::AlreadyAdmits, "{} to {}: {}", text, to, new);
                    prop_assert_ne!(&new, &text);
                    prop_assert!(!new.contains('+') || text.contains(','), "{text} to {to}: {new} has build metadata");
                    if to.pre.is_empty() {
                        prop_assert_eq!(skeleton(&new), skeleton(&text), "{} to {}: {}", text, to, new);
                    }
                }
                Raise::AlreadyAdmits => prop_assert!(admits(&text, &to), "{text} does not admit {to}"),
                Raise::Refused(_) => prop_assert!(!admits(&text, &to), "{text} admits {to}"),
            }
        }
    }

    #[test]
    fn a_stable_version_above_the_floor_is_refused_to_nobody(text in requirement(), to in stable()) {
        if let Raise::Refused(refusal) = raise(&text, &to) {
            let wanted = floor(&text).is_none_or(|floor| to < floor);
            prop_assert!(wanted, "{text} to {to}: {refusal}");
        }
    }

    #[test]
    fn a_range_admits_after_it_what_it_admitted_before(ceiling in ceiling(), to in stable(), other in stable()) {
        if let Raise::To(new) = raise(&ceiling, &to) {
            prop_assert!(!admits(&ceiling, &other) || admits(&new, &other), "{ceiling} to {to}: {new} shuts {other} out");
        }
    }

    #[test]
    fn nothing_below_its_floor_is_admitted_and_the_floor_is(text in requirement(), other in version()) {
        match floor(&text) {
            Some(floor) => {
                prop_assert!(admits(&text, &floor), "{text} does not admit {floor}");
                prop_assert!(!admits(&text, &other) || other >= floor, "{text} admits {other}, below {floor}");
            }
            None => prop_assert!(!admits(&text, &other), "{text} admits {other}"),
        }
    }

    #[test]
    fn a_level_is_major_just_when_a_caret_would_not_follow(from in stable(), to in stable()) {
        let (from, to) = (from.clone().min(to.clone()), from.max(to));
        prop_assert_eq!(cargo_level(&from, &to) == Level::Major, !admits(&format!("^{from}"), &to));
    }
}
