//! What is kept for good, front to back in canonical order, and who was refused before all that comes before was kept.

use alloc::collections::BTreeSet;
use alloc::vec::Vec;

use super::{Batch, Refused};
use crate::lane::Kind;
use crate::order::Company;
use crate::{Ticket, Why};

impl Batch {
    /// With several trials at once a unit may be refused before what comes before it is kept, and so where one at a time
    /// would have kept it. Once everything else is settled it is looked at again.
    pub(super) fn look_at_the_early(&mut self) {
        // The first in canonical order of those settled from each place on: for most it tells at once.
        let mut firsts: Vec<usize> = self.settled.clone();
        for place in (1..firsts.len()).rev() {
            firsts[place - 1] = firsts[place - 1].min(firsts[place]);
        }
        let is_early = |refused: &&Refused| {
            let Refused { unit, shot, .. } = refused;
            let since = self.settled[shot.based..].iter().zip(&shot.units).take_while(|(one, other)| one == other);
            let place = shot.based + since.count();
            let is_new = |before: &usize| before < unit && !shot.units.contains(before);
            firsts.get(place).is_some_and(|first| first < unit)
                && !self.looked.contains(unit)
                && self.settled[place..].iter().any(is_new)
        };
        let early: BTreeSet<usize> = self.refused.iter().filter(is_early).map(|refused| refused.unit).collect();
        let refused = core::mem::take(&mut self.refused);
        for refused in refused {
            let unit = refused.unit;
            if early.contains(&unit) {
                self.units[unit].risk = 999; // it failed, so nobody bets on it
                self.units[unit].company = Company::Alone;
                self.units[unit].why = Some(Why::SecondLook);
                self.pool.insert(unit);
                self.looked.insert(unit);
                self.early.insert(unit, refused);
            } else {
                self.refused.push(refused);
            }
        }
    }

    /// The first unit that is neither kept nor rejected: nothing behind it can be settled.
    pub(crate) fn frontier(&self) -> usize {
        let fresh = self.lanes.iter().filter(|lane| lane.kind == Kind::Fresh);
        let open = fresh.filter_map(|lane| lane.window().first());
        open.chain(self.pool.first()).copied().min().unwrap_or(usize::MAX)
    }

    /// Makes the longest sequence that passed, and that holds just what is kept, the settled one.
    pub(super) fn settle(&mut self) {
        let frontier = self.frontier();
        let ready: Vec<usize> = self.kept.range(..frontier).copied().collect();
        let mut best: Option<(usize, Ticket)> = None;
        for (shot, ticket) in &self.passes {
            let known = self.settled.len() - shot.based;
            let fits = shot.units.len() > known
                && shot.units[..known] == self.settled[shot.based..]
                && ready.starts_with(&shot.units[known..]);
            if fits && best.is_none_or(|(most, _)| shot.units.len() - known > most) {
                best = Some((shot.units.len() - known, *ticket));
            }
        }
        if let Some((count, ticket)) = best {
            for unit in &ready[..count] {
                self.kept.remove(unit);
            }
            self.settled.extend(&ready[..count]);
            self.proven_by = Some(ticket);
            self.rebase();
        }
    }

    /// Lets lanes and passes rest on what is settled now, where that is literally the same.
    fn rebase(&mut self) {
        let settled = &self.settled;
        let mut moot = Vec::new();
        for lane in &mut self.lanes {
            let count = settled.len() - lane.based;
            if count > 0 && count <= lane.passed && lane.units[..count] == settled[lane.based..] {
                lane.rebase(count);
            } else if count > 0 && lane.kind == Kind::Union {
                moot.extend(lane.abandon()); // what it is about was settled by another trial
            }
        }
        self.lanes.retain(|lane| !lane.window().is_empty());

        self.passes.retain(|(shot, _)| {
            let count = settled.len() - shot.based;
            shot.units.len() > count && shot.units[..count] == settled[shot.based..]
        });
        self.forget(&moot);
    }
}
