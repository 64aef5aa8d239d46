//! Picks that move as one: a single one as a rule; several where they pass, or resolve, only together. Pure.

use alloc::{vec, vec::Vec};

use crate::Pick;

/// Picks that are written in one step, and kept and taken out as one. An atom is in it once.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Joint(Vec<Pick>);

impl From<Pick> for Joint {
    fn from(pick: Pick) -> Self {
        Self(vec![pick])
    }
}

impl Joint {
    /// A pick that does not go without some others. Of those the first of each other atom counts.
    #[must_use]
    pub fn new(first: Pick, others: &[Pick]) -> Self {
        let mut joint = Self::from(first);
        joint.add_all(others);
        joint
    }

    fn add_all(&mut self, picks: &[Pick]) {
        for pick in picks {
            if !self.has(pick.atom) {
                self.0.push(*pick);
            }
        }
    }

    /// Its picks: first the one that came last, and of those that came together the one that does not go without the others.
    #[must_use]
    pub fn picks(&self) -> &[Pick] {
        &self.0
    }

    /// Puts some of its picks first, in their order.
    pub(crate) fn lead(&mut self, is_first: impl Fn(&Pick) -> bool) {
        self.0.sort_by_key(|pick| !is_first(pick));
    }

    /// The pick that is to blame where all of it fails.
    pub(crate) fn first(&self) -> Pick {
        self.0[0]
    }

    /// True if one of its picks is of this atom.
    #[must_use]
    pub fn has(&self, atom: usize) -> bool {
        self.0.iter().any(|pick| pick.atom == atom)
    }

    /// True if both have a pick of the same atom.
    pub(crate) fn meets(&self, other: &Self) -> bool {
        self.0.iter().any(|pick| other.has(pick.atom))
    }

    /// Takes those of another one along whose atoms it has not.
    pub(crate) fn take_along(&mut self, other: &Self) {
        self.add_all(&other.0);
    }
}

/// Puts a joint on top of a sequence: those that it has atoms of leave their places, and their other picks come along.
pub(crate) fn put_on_top(sequence: &mut Vec<Joint>, joint: &Joint) {
    let mut top = joint.clone();
    sequence.retain(|below| {
        let meets = below.meets(joint);
        if meets {
            top.take_along(below);
        }
        !meets
    });
    sequence.push(top);
}

/// Makes the joints of a sequence one that hold exactly these picks, at the place of the first of them.
pub(crate) fn merge(sequence: &mut Vec<Joint>, joint: &Joint) {
    let is_there = |pick: &Pick| sequence.iter().any(|one| one.0.contains(pick));
    let mut places = (0..sequence.len()).filter(|&place| sequence[place].meets(joint));
    let (Some(first), true) = (places.next(), joint.0.iter().all(is_there)) else { return };
    let rest: Vec<usize> = places.collect();
    if rest.is_empty() {
        return;
    }
    let mut one = joint.clone();
    one.take_along(&sequence[first]);
    for place in rest.into_iter().rev() {
        one.take_along(&sequence.remove(place));
    }
    sequence[first] = one;
}

/// All picks of a sequence, in its order.
pub(crate) fn picks(sequence: &[Joint]) -> Vec<Pick> {
    sequence.iter().flat_map(|joint| joint.0.iter().copied()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn joint(picks: &[(usize, usize)]) -> Joint {
        let all: Vec<Pick> = picks.iter().map(|&(atom, rung)| Pick { atom, rung }).collect();
        Joint::new(all[0], &all[1..])
    }

    #[test]
    fn what_moves_with_a_pick_comes_along_when_it_is_lifted() {
        let mut sequence = vec![joint(&[(0, 0), (3, 0)]), joint(&[(1, 0)]), joint(&[(2, 0)])];
        put_on_top(&mut sequence, &joint(&[(3, 1)]));
        assert_eq!(sequence, [joint(&[(1, 0)]), joint(&[(2, 0)]), joint(&[(3, 1), (0, 0)])]);
        put_on_top(&mut sequence, &joint(&[(0, 1), (1, 1)]));
        assert_eq!(sequence, [joint(&[(2, 0)]), joint(&[(0, 1), (1, 1), (3, 1)])]);
    }

    #[test]
    fn picks_that_resolve_only_together_are_one_at_the_place_of_the_first() {
        let mut sequence = vec![joint(&[(0, 0)]), joint(&[(1, 0)]), joint(&[(2, 0)]), joint(&[(3, 0)])];
        let before = sequence.clone();
        merge(&mut sequence, &joint(&[(3, 0), (1, 1)]));
        assert_eq!(sequence, before, "that is another rung");
        merge(&mut sequence, &joint(&[(3, 0), (1, 0)]));
        assert_eq!(sequence, [joint(&[(0, 0)]), joint(&[(3, 0), (1, 0)]), joint(&[(2, 0)])]);
        sequence[1].lead(|pick| pick.atom == 1);
        assert_eq!(sequence[1], joint(&[(1, 0), (3, 0)]), "what came last is to blame first");
    }
}
