//! How an atom climbs: its rungs from the highest down, then, where all of them failed, the releases below by
//! bisection, and last a look at those above the one that was found. Pure state of one atom and one kind.

use alloc::vec::Vec;

use crate::{AtomSpec, Below, Break, Depth, Why};

/// So many releases above the one that a bisection found are looked at.
const LOOKS: usize = 3;

/// Where an atom is on its way through the rungs of one kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Climb {
    kind: Break,
    below: Below,
    place: Place,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Place {
    /// At a rung; with the releases above it and below a higher rung that failed, rising.
    Rung { rung: usize, above: Vec<usize> },
    /// Between the rungs: what is open is `releases[low..high]`, rising.
    Bisect { releases: Vec<usize>, low: usize, high: usize, tried: Vec<usize>, found: Option<usize> },
    /// Above what was found, the next one last.
    Looks(Vec<usize>),
    /// At its end.
    Done,
}

impl Climb {
    /// From the highest rung of a kind above `floor` (`None`: the ground) that was not refused.
    pub(crate) fn start(
        spec: &AtomSpec,
        kind: Break,
        floor: Option<usize>,
        below: Below,
        refused: impl Fn(usize) -> bool,
    ) -> Self {
        let mut climb = Self { kind, below, place: Place::Done };
        let rungs = rungs(spec, kind, floor);
        climb.place = match rungs.iter().copied().rev().find(|&rung| !refused(rung)) {
            Some(rung) => climb.at(spec, &rungs, rung),
            None if rungs.is_empty() => Place::Done,
            None => climb.go_between(spec, floor),
        };
        climb
    }

    /// Nothing to climb.
    pub(crate) fn over(kind: Break) -> Self {
        Self { kind, below: Below::Rungs, place: Place::Done }
    }

    /// The rung to try next, and why if it is no rung in its turn.
    pub(crate) fn wants(&self) -> Option<(usize, Option<Why>)> {
        match &self.place {
            Place::Rung { rung, .. } => Some((*rung, None)),
            Place::Bisect { releases, low, high, .. } => {
                Some((releases[usize::midpoint(*low, *high)], Some(Why::Bisect)))
            }
            Place::Looks(left) => left.last().map(|&rung| (rung, Some(Why::Neighbour))),
            Place::Done => None,
        }
    }

    /// What it wanted passed.
    pub(crate) fn passed(&mut self) {
        self.place = match core::mem::replace(&mut self.place, Place::Done) {
            Place::Bisect { releases, low, high, mut tried, .. } => {
                let middle = usize::midpoint(low, high);
                tried.push(releases[middle]);
                narrowed(releases, middle + 1, high, tried, Some(middle))
            }
            // A higher rung failed: the highest version that passes may lie between the two.
            Place::Rung { above, .. } => {
                let high = above.len();
                narrowed(above, 0, high, Vec::new(), None)
            }
            Place::Looks(_) | Place::Done => Place::Done,
        };
    }

    /// What it wanted failed.
    pub(crate) fn failed(&mut self, spec: &AtomSpec, floor: Option<usize>) {
        self.place = match core::mem::replace(&mut self.place, Place::Done) {
            Place::Rung { rung, .. } => {
                let rungs = rungs(spec, self.kind, floor);
                let lower = rungs.iter().copied().rev().find(|&lower| lower < rung);
                lower.map_or_else(|| self.go_between(spec, floor), |lower| self.at(spec, &rungs, lower))
            }
            Place::Bisect { releases, low, high, mut tried, found } => {
                let middle = usize::midpoint(low, high);
                tried.push(releases[middle]);
                narrowed(releases, low, middle, tried, found)
            }
            Place::Looks(mut left) => {
                left.pop();
                Place::Looks(left)
            }
            Place::Done => Place::Done,
        };
    }

    /// It gave no answer: nothing more of this kind.
    pub(crate) fn stop(&mut self) {
        self.place = Place::Done;
    }

    /// At one of the rungs; the one above it, if there is one, has failed.
    fn at(&self, spec: &AtomSpec, rungs: &[usize], rung: usize) -> Place {
        let failed = rungs.iter().copied().find(|&higher| higher > rung).filter(|_| self.below == Below::Bisect);
        let is_between = |place: &usize| failed.is_some_and(|failed| *place < failed);
        let above = releases(spec, self.kind, Some(rung)).into_iter().filter(is_between).collect();
        Place::Rung { rung, above }
    }

    fn go_between(&self, spec: &AtomSpec, floor: Option<usize>) -> Place {
        if self.below == Below::Rungs {
            return Place::Done;
        }
        let lowest = rungs(spec, self.kind, floor).first().copied().unwrap_or(0);
        let releases: Vec<usize> =
            releases(spec, self.kind, floor).into_iter().filter(|&place| place < lowest).collect();
        let high = releases.len();
        narrowed(releases, 0, high, Vec::new(), None)
    }
}

fn narrowed(releases: Vec<usize>, low: usize, high: usize, tried: Vec<usize>, found: Option<usize>) -> Place {
    if low < high {
        return Place::Bisect { releases, low, high, tried, found };
    }
    let Some(found) = found else {
        return Place::Done;
    };
    let untried = releases[found + 1..].iter().copied().filter(|release| !tried.contains(release));
    let mut newest: Vec<usize> = untried.rev().take(LOOKS).collect();
    newest.reverse();
    Place::Looks(newest)
}

fn above(floor: Option<usize>) -> usize {
    floor.map_or(0, |rung| rung + 1)
}

fn places(spec: &AtomSpec, kind: Break, depth: Depth, floor: Option<usize>) -> Vec<usize> {
    let fits = |place: &usize| spec.rungs[*place].breaking == kind && spec.rungs[*place].depth == depth;
    (above(floor)..spec.rungs.len()).filter(fits).collect()
}

/// The rungs of a kind above `floor`, the lowest first.
fn rungs(spec: &AtomSpec, kind: Break, floor: Option<usize>) -> Vec<usize> {
    places(spec, kind, Depth::Rung, floor)
}

/// The releases between the rungs of a kind above `floor`, the lowest first.
fn releases(spec: &AtomSpec, kind: Break, floor: Option<usize>) -> Vec<usize> {
    places(spec, kind, Depth::Between, floor)
}

/// The highest rung above `floor`, of the kind that is tried first where there is a choice.
pub(crate) fn top(spec: &AtomSpec, floor: Option<usize>) -> Option<usize> {
    let highest = |kind| rungs(spec, kind, floor).last().copied();
    highest(Break::Compatible).or_else(|| highest(Break::Breaking))
}

/// The highest rung of all.
pub(crate) fn summit(spec: &AtomSpec) -> Option<usize> {
    (0..spec.rungs.len()).rev().find(|&rung| spec.rungs[rung].depth == Depth::Rung)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::RungSpec;
    use Break::{Breaking, Compatible};
    use Depth::{Between, Rung};

    fn atom(places: &[(Break, Depth)]) -> AtomSpec {
        let rung = |&(breaking, depth)| RungSpec { risk: 10, breaking, depth };
        AtomSpec { rungs: places.iter().map(rung).collect(), kin: 0, builds: Vec::new() }
    }

    /// The places tried, in order, where exactly those in `good` pass; and the highest that passed.
    fn climbed(spec: &AtomSpec, kind: Break, floor: Option<usize>, good: &[usize]) -> (Vec<usize>, Option<usize>) {
        let mut climb = Climb::start(spec, kind, floor, Below::Bisect, |_| false);
        let (mut tried, mut landed) = (Vec::new(), floor);
        while let Some((rung, _)) = climb.wants() {
            tried.push(rung);
            if good.contains(&rung) {
                landed = Some(rung);
                climb.passed();
            } else {
                climb.failed(spec, floor);
            }
        }
        (tried, landed)
    }

    #[test]
    fn rungs_go_down_from_the_highest_of_their_kind() {
        let ladder = atom(&[(Compatible, Rung), (Compatible, Rung), (Breaking, Rung), (Breaking, Rung)]);
        assert_eq!(climbed(&ladder, Compatible, None, &[]).0, [1, 0]);
        assert_eq!(climbed(&ladder, Breaking, Some(0), &[]).0, [3, 2]);
        assert_eq!(climbed(&ladder, Breaking, Some(0), &[2]), (Vec::from([3, 2]), Some(2)));
    }

    #[test]
    fn nothing_below_what_is_accepted_is_tried() {
        assert!(climbed(&atom(&[(Breaking, Rung), (Compatible, Rung)]), Breaking, Some(1), &[]).0.is_empty());
    }

    #[test]
    fn where_all_rungs_failed_the_releases_below_are_bisected() {
        let mut places = [(Compatible, Between); 9];
        places[8] = (Compatible, Rung);
        let (tried, landed) = climbed(&atom(&places), Compatible, None, &[0, 1, 2, 3]);
        assert_eq!(landed, Some(3));
        assert_eq!(tried, [8, 4, 2, 3, 7, 6, 5], "the middle, the halves, then those above, newest first");
    }

    #[test]
    fn a_neighbour_above_the_found_one_may_pass_after_all() {
        let mut places = [(Compatible, Between); 9];
        places[8] = (Compatible, Rung);
        assert_eq!(climbed(&atom(&places), Compatible, None, &[0, 1, 6]).1, Some(6));
    }

    #[test]
    fn above_a_rung_that_passes_the_releases_below_a_failed_one_are_bisected() {
        let ladder = atom(&[(Compatible, Between), (Compatible, Rung), (Compatible, Between), (Compatible, Rung)]);
        assert_eq!(climbed(&ladder, Compatible, None, &[1]), (Vec::from([3, 1, 2]), Some(1)));
        assert_eq!(climbed(&ladder, Compatible, None, &[1, 2]), (Vec::from([3, 1, 2]), Some(2)));
        assert_eq!(climbed(&ladder, Compatible, None, &[3]), (Vec::from([3]), Some(3)));
        assert_eq!(climbed(&ladder, Compatible, None, &[0]).0, [3, 1, 0], "only below the lowest rung");
    }
}
