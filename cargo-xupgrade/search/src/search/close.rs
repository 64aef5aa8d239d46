//! What a generation, or the whole matrix, taught: it goes into the ledger, and the atoms go on from it.

use alloc::collections::BTreeSet;
use alloc::vec::Vec;

use super::Search;
use crate::batch::{Batch, Belief};
use crate::{Joint, Scope};

impl Search {
    /// Writes what a generation taught into the ledger, whether it is over or not.
    pub(super) fn close_batch(&mut self) {
        let Some(batch) = self.batch.take() else { return };
        self.moot.extend(batch.moot.iter().chain(batch.asked.keys()));
        if let Some(sieve) = self.sieve.as_mut().filter(|_| batch.rule.scope == Scope::Gate) {
            return sieve.catch(batch.refused.iter().map(|refused| refused.unit));
        }
        self.track = batch.track;
        let base = self.ledger.growth;
        let mut accepted = Vec::new();
        for (unit, proven) in batch.accepted() {
            accepted.push((unit.joint.clone(), proven));
        }
        for pick in accepted.iter().flat_map(|(joint, _)| joint.picks()) {
            if let Some(joint) = self.ledger.joint(pick.atom) {
                self.before.insert(pick.atom, joint.clone());
            }
        }
        let suspicious = self.ledger.accept(&accepted, batch.proven_by);
        self.taken_back.extend(suspicious);
        for (pick, refused, growth) in batch.refusals() {
            if batch.rule.belief == Belief::Taken && self.ledger.is_refused(pick) {
                self.ledger.looked(pick, base + growth);
                continue;
            }
            self.ledger.refuse(pick, refused.clone(), base + growth);
            self.rescue.heard(pick, &refused.partners, self.atoms.len());
        }
        for &(unit, ticket) in &batch.unanswered {
            if let Some(pick) = batch.units[unit].single() {
                self.ledger.leave_open(pick, ticket);
            }
        }
        self.move_climbs(&batch);
    }

    /// The same in its midst: its atoms of which nothing is known yet stay where they are, and are tried later.
    pub(super) fn suspend_batch(&mut self) {
        let undecided = self.batch.iter().flat_map(Batch::undecided);
        let units: Vec<Joint> = undecided.map(|unit| unit.joint.clone()).collect();
        let atoms: BTreeSet<usize> = units.iter().flat_map(Joint::picks).map(|pick| pick.atom).collect();
        units.iter().map(Joint::picks).filter(|picks| picks.len() > 1).for_each(|picks| self.rescue.put_back(picks));
        let before = self.climbs.clone();
        self.close_batch();
        for (atom, climb) in before.into_iter().enumerate().filter(|(atom, _)| atoms.contains(atom)) {
            self.climbs[atom] = climb;
        }
    }

    /// Each atom of the generation goes on from what became of it.
    fn move_climbs(&mut self, batch: &Batch) {
        if self.climbs.is_empty() {
            return;
        }
        for unit in &batch.units {
            for pick in unit.joint.picks() {
                let climb = &mut self.climbs[pick.atom];
                let accepted = self.ledger.rung(pick.atom) == Some(pick.rung);
                let wanted = climb.wants().is_some_and(|wanted| wanted.0 == pick.rung);
                match (wanted, accepted, unit.single()) {
                    (true, true, _) => climb.passed(),
                    (true, false, Some(pick)) if self.ledger.is_refused(pick) => {
                        climb.failed(&self.atoms[pick.atom], self.ledger.rung(pick.atom));
                    }
                    // What passed last time may lie below what is wanted now.
                    (false, true, _) if climb.wants().is_some_and(|wanted| wanted.0 > pick.rung) => {}
                    (false, true, _) | (true, false, Some(_)) => climb.stop(),
                    (_, false, _) => {}
                }
            }
        }
    }

    /// Writes what the whole matrix said into the ledger; gives back the atoms that it took out as they fail, or with such a one.
    pub(super) fn close_verify(&mut self) -> BTreeSet<usize> {
        let Some(verify) = self.verify.take() else { return BTreeSet::new() };
        if let Some((accepted, ticket)) = verify.accepted() {
            self.ledger.replace(accepted, ticket);
        }
        for &(pick, ticket) in &verify.refused {
            if verify.idle.contains(&pick.atom) {
                self.ledger.leave_out(pick, ticket);
            } else {
                self.ledger.convict(pick, ticket);
            }
            self.ledger.settle(pick.atom);
        }
        if let Some(checkpoint) = verify.checkpoint() {
            self.ledger.checkpoint = Some(checkpoint);
        }
        for &(pick, ticket) in &verify.released {
            self.ledger.leave_open(pick, ticket);
        }
        let failed = verify.refused.iter().map(|(pick, _)| pick.atom).filter(|atom| !verify.idle.contains(atom));
        failed.chain(verify.released.iter().map(|(pick, _)| pick.atom)).collect()
    }
}
