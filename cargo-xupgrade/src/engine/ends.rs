//! The ends of commits: after which upgrades of a tested sequence a commit of the branch may end. A tree that failed in any
//! trial is never one, a tree that passed needs no second look, and of the others as many are tried as time allows. Pure.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use crate::trial::CellKey;
use crate::verdict::Bar;

/// The tree after one upgrade of the sequence, as far as a commit that ends there goes.
#[derive(Debug, Clone, Default)]
pub struct Place {
    /// The reason why no commit ends here, where that is known before any is tried.
    pub bar: Option<Bar>,
    /// The trials that passed on this very tree.
    pub passed: Vec<Passed>,
    /// The checks that this upgrade concerns, and the milliseconds that each is expected to take.
    pub needs: BTreeMap<CellKey, u64>,
}

/// A trial that passed on a tree.
#[derive(Debug, Clone)]
pub struct Passed {
    /// Its name.
    pub trial: String,
    /// The checks that it ran whole.
    pub checks: BTreeSet<CellKey>,
}

/// The answer to a commit that is to end after an upgrade.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reply {
    /// A pass, in this trial.
    Passed(String),
    /// A failure.
    Failed,
    /// None, as nobody tried it or noise came between: no commit ends there.
    Open,
    /// None, as nobody tries any: a commit ends there all the same.
    Trusted,
}

/// A commit of the branch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unit {
    /// The positions of its upgrades in the sequence.
    pub positions: Range<usize>,
    /// The knowledge of its tree.
    pub proof: Proof,
    /// The reasons why no commit ends within it.
    pub bars: BTreeSet<Bar>,
}

/// The time that is left to ask for commits, in milliseconds. What each of them took stands in the journal, and no clock is
/// looked at: a run that is resumed asks the same.
#[derive(Debug, Clone, Default)]
pub struct Pace {
    /// The rest; `None`: as much as it takes.
    left: Option<u64>,
    /// The time of the slowest so far.
    slowest: u64,
}

impl Pace {
    /// With so much time.
    #[must_use]
    pub fn within(limit: Option<u64>) -> Self {
        Self { left: limit, slowest: 0 }
    }

    fn took(&mut self, millis: u64) {
        self.slowest = self.slowest.max(millis);
        self.left = self.left.map(|left| left.saturating_sub(millis));
    }

    /// The number of ends to pass by before the next one is asked, so that they lie evenly; `None` where there is time for no more.
    fn skip(&self, ends: usize) -> Option<usize> {
        let Some(left) = self.left else { return Some(0) };
        let fit = usize::try_from(left.checked_div(self.slowest).unwrap_or(u64::MAX)).unwrap_or(usize::MAX).min(ends);
        (fit > 0).then(|| (ends + 1) / (fit + 1) - 1)
    }
}

/// The knowledge of the tree of a commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Proof {
    /// The verification: it is the tip.
    Tip,
    /// A pass in this trial of the search.
    Search(String),
    /// A pass in this trial of its own.
    Own(String),
    /// None but that it resolves.
    Untried,
}

impl Unit {
    /// True if its upgrades were verified as a group, for want of time or of an answer.
    #[must_use]
    pub fn is_group(&self) -> bool {
        self.bars.contains(&Bar::Open)
    }
}

/// Cuts a sequence into commits. `ask` hears of those that nothing is known about, as many as there is time for and evenly:
/// the positions of the upgrades of each. It gives the answer, and the milliseconds that it took.
///
/// # Errors
/// The first error of `ask`.
pub fn units<E>(
    places: &[Place],
    mut pace: Pace,
    mut ask: impl FnMut(Range<usize>) -> Result<(Reply, u64), E>,
) -> Result<Vec<Unit>, E> {
    let (mut units, mut start, mut bars) = (Vec::new(), 0, BTreeSet::new());
    let mut open: Vec<usize> = (0..places.len()).filter(|end| known(places, *end..end + 1).is_none()).rev().collect();
    let mut skip = first(places, &pace, open.last());
    for end in 1..=places.len() {
        let positions = start..end;
        open.retain(|later| *later >= end);
        let proof = match (known(places, positions.clone()), skip) {
            (Some(known), _) => known,
            (None, Some(0)) => {
                let (reply, millis) = ask(positions.clone())?;
                pace.took(millis);
                skip = pace.skip(open.len());
                reply.proof()
            }
            (None, passed_by) => {
                skip = passed_by.map(|left| left - 1);
                Err(Bar::Open)
            }
        };
        match proof {
            Ok(proof) => {
                units.push(Unit { positions, proof, bars: std::mem::take(&mut bars) });
                start = end;
            }
            Err(bar) => drop(bars.insert(bar)),
        }
    }
    Ok(units)
}

/// The ends to pass by before the first one: none, if the baseline says that there is time. That one tells how long others take.
fn first(places: &[Place], pace: &Pace, end: Option<&usize>) -> Option<usize> {
    let expected = needs(&places[..end.map_or(0, |end| end + 1)]).values().sum::<u64>();
    pace.left.is_none_or(|left| expected <= left).then_some(0)
}

impl Reply {
    fn proof(self) -> Result<Proof, Bar> {
        match self {
            Self::Passed(trial) => Ok(Proof::Own(trial)),
            Self::Trusted => Ok(Proof::Untried),
            Self::Failed => Err(Bar::Together),
            Self::Open => Err(Bar::Open),
        }
    }
}

/// The proof of a commit, or the bar behind it, where nobody has to be asked.
fn known(places: &[Place], positions: Range<usize>) -> Option<Result<Proof, Bar>> {
    if positions.end == places.len() {
        return Some(Ok(Proof::Tip));
    }
    let place = &places[positions.end - 1];
    if let Some(bar) = place.bar {
        return Some(Err(bar));
    }
    let needs = needs(&places[positions]);
    let passed = place.passed.iter().find(|passed| needs.keys().all(|key| passed.checks.contains(*key)));
    passed.map(|passed| Ok(Proof::Search(passed.trial.clone())))
}

fn needs(places: &[Place]) -> BTreeMap<&CellKey, u64> {
    places.iter().flat_map(|place| &place.needs).map(|(key, millis)| (key, *millis)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(name: &str) -> CellKey {
        CellKey::of(name)
    }

    /// Upgrades that nothing is known about; each concerns one check of a second.
    fn unknown(count: usize) -> Vec<Place> {
        let place = Place { needs: [(key("gate"), 1000)].into(), ..Place::default() };
        vec![place; count]
    }

    fn passed(trial: &str, checks: &[&str]) -> Passed {
        Passed { trial: trial.into(), checks: checks.iter().map(|name| key(name)).collect() }
    }

    /// The commits where those asked at these positions fail, each takes a second, and there are so many milliseconds; and who
    /// was asked.
    fn asked(places: &[Place], red: &[usize], limit: Option<u64>) -> (Vec<Unit>, Vec<usize>) {
        let mut asked = Vec::new();
        let ended = units(places, Pace::within(limit), |positions| {
            asked.push(positions.end - 1);
            let is_red = red.contains(&(positions.end - 1));
            Ok::<_, ()>((if is_red { Reply::Failed } else { Reply::Passed("c".into()) }, 1000))
        });
        (ended.unwrap(), asked)
    }

    /// The same without a limit, each commit as its positions.
    fn cut(places: &[Place], red: &[usize]) -> (Vec<Vec<usize>>, Vec<usize>) {
        let (units, asked) = asked(places, red, None);
        (units.into_iter().map(|unit| unit.positions.collect()).collect(), asked)
    }

    #[test]
    fn each_upgrade_is_a_commit_where_each_passes_and_the_tip_is_not_asked() {
        assert_eq!(cut(&unknown(3), &[]), (vec![vec![0], vec![1], vec![2]], vec![0, 1]));
        assert_eq!(cut(&[], &[]), (vec![], vec![]));
    }

    #[test]
    fn a_commit_that_fails_goes_on_to_the_next_which_is_asked_with_both() {
        assert_eq!(cut(&unknown(4), &[0, 1]), (vec![vec![0, 1, 2], vec![3]], vec![0, 1, 2]));
    }

    #[test]
    fn a_tree_that_failed_anywhere_is_no_end_of_a_commit_and_nobody_is_asked() {
        let mut places = unknown(4);
        places[1].bar = Some(Bar::Together);
        assert_eq!(cut(&places, &[]), (vec![vec![0], vec![1, 2], vec![3]], vec![0, 2]));
        let trusting = units(&places, Pace::default(), |_| Ok::<_, ()>((Reply::Trusted, 0))).unwrap();
        assert_eq!(trusting[1].positions, 1..3, "nor where no commit is tried");
        assert_eq!((trusting[1].bars.clone(), trusting[1].is_group()), ([Bar::Together].into(), false));
    }

    #[test]
    fn a_tree_that_passed_with_all_checks_of_its_commit_needs_no_second_look() {
        let mut places = unknown(3);
        places[0].passed = vec![passed("t1", &["gate"])];
        places[1].passed = vec![passed("t2", &["other"])];
        let (units, asked) = asked(&places, &[], None);
        assert_eq!(asked, [1], "who ran another check is no evidence");
        let proofs: Vec<Proof> = units.into_iter().map(|unit| unit.proof).collect();
        assert_eq!(proofs, [Proof::Search("t1".into()), Proof::Own("c".into()), Proof::Tip]);
    }

    #[test]
    fn what_joined_a_commit_on_its_way_has_to_have_passed_with_its_own_checks_too() {
        let mut places = unknown(3);
        places[0].needs = [(key("of another project"), 1)].into();
        places[1].passed = vec![passed("t2", &["gate"])];
        assert_eq!(cut(&places, &[]).1, [0]);
        assert_eq!(cut(&places, &[0]).1, [0, 1]);
    }

    #[test]
    fn as_many_are_asked_as_there_is_time_for_and_evenly() {
        let ask = |millis| asked(&unknown(10), &[], Some(millis)).1;
        assert_eq!(ask(9000), [0, 1, 2, 3, 4, 5, 6, 7, 8]);
        assert_eq!(ask(4000), [0, 2, 4, 6]);
        assert_eq!(ask(3999), [0, 3, 6]);
        assert_eq!(ask(1000), [0]);
        assert_eq!(ask(999), [0; 0]);
    }

    #[test]
    fn what_is_known_takes_no_time() {
        let mut places = unknown(6);
        places[2].passed = vec![passed("t1", &["gate"])];
        places[3].bar = Some(Bar::Together);
        assert_eq!(asked(&places, &[], Some(3000)).1, [0, 1, 4]);
    }

    #[test]
    fn who_takes_longer_than_the_baseline_told_ends_the_asking() {
        let quick = Place { needs: [(key("gate"), 100)].into(), ..Place::default() };
        let slow = vec![quick; 5];
        let (units, asked) = asked(&slow, &[], Some(1900));
        assert_eq!(asked, [0], "a second try could take more than is left");
        assert_eq!(units.last().map(|unit| (unit.positions.clone(), unit.is_group())), Some((1..5, true)));
    }

    #[test]
    fn neighbours_for_want_of_time_are_told_as_a_group() {
        let groups =
            |units: Vec<Unit>| units.iter().map(|unit| (unit.positions.clone(), unit.is_group())).collect::<Vec<_>>();
        let (units, _) = asked(&unknown(6), &[], Some(2000));
        assert_eq!(groups(units), [(0..1, false), (1..3, true), (3..6, true)]);
        let (units, _) = asked(&unknown(3), &[0], Some(2000));
        assert_eq!(groups(units), [(0..2, false), (2..3, false)], "what fails without the other is no group");
    }
}
