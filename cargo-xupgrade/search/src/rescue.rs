//! Two that may pass only together: the pairs to try as one, from what failures named. Pure choice.

use alloc::collections::BTreeSet;
use alloc::vec::Vec;

use crate::ladder::{self, Climb};
use crate::ledger::Ledger;
use crate::order::Unit;
use crate::{AtomSpec, Joint, Pick, Why};

/// What failures named, and what came of it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Rescue {
    /// A pick that failed, and an atom that its failure named; not tried yet.
    hints: Vec<(Pick, usize)>,
    /// Those that were.
    tried: BTreeSet<(Pick, usize)>,
}

impl Rescue {
    /// The failure of `pick` named these atoms.
    pub(crate) fn heard(&mut self, pick: Pick, partners: &[usize], atoms: usize) {
        for &partner in partners {
            let is_new = partner != pick.atom && partner < atoms && !self.tried.contains(&(pick, partner));
            if is_new && !self.hints.contains(&(pick, partner)) {
                self.hints.push((pick, partner));
            }
        }
    }

    /// Two that were to be tried as one, and were not: they are tried later.
    pub(crate) fn put_back(&mut self, picks: &[Pick]) {
        let is_of =
            |&(pick, partner): &(Pick, usize)| picks.contains(&pick) && picks.iter().any(|one| one.atom == partner);
        let back: Vec<(Pick, usize)> = self.tried.iter().copied().filter(is_of).collect();
        self.tried.retain(|hint| !back.contains(hint));
        self.hints.extend(back);
    }

    /// The pairs to try now, each atom in one of them at most; the others wait.
    pub(crate) fn pairs(
        &mut self,
        atoms: &[AtomSpec],
        ledger: &Ledger,
        climbs: &[Climb],
    ) -> (Vec<Unit>, BTreeSet<usize>) {
        let (mut units, mut busy) = (Vec::new(), BTreeSet::new());
        let hints = core::mem::take(&mut self.hints);
        for (pick, partner) in hints {
            if ledger.rung(pick.atom).is_some_and(|rung| rung >= pick.rung) {
                continue;
            }
            if busy.contains(&pick.atom) || busy.contains(&partner) {
                self.hints.push((pick, partner));
                continue;
            }
            self.tried.insert((pick, partner));
            let floor = ledger.rung(partner);
            let wanted = climbs[partner].wants().map(|wanted| wanted.0).or_else(|| ladder::summit(&atoms[partner]));
            match wanted.filter(|&rung| floor.is_none_or(|floor| rung > floor)) {
                Some(rung) => {
                    units.push(Unit::alone(Joint::new(pick, &[Pick { atom: partner, rung }]), Why::Pair));
                    busy.extend([pick.atom, partner]);
                }
                None if ledger.grew_since_refusal(pick) => {
                    units.push(Unit::alone(pick.into(), Why::SecondLook));
                    busy.insert(pick.atom);
                }
                None => {}
            }
        }
        (units, busy)
    }
}
