//! What is known for certain: the accepted sequence with its proofs, the refusals, the open questions.
//! Only recorded trials write here, and nothing here decides what to try next.

use alloc::{vec, vec::Vec};

use crate::{AtomSpec, Fate, Pick, Refusal, Solution, Ticket};

/// The evidence so far.
#[derive(Debug, Clone)]
pub(crate) struct Ledger {
    accepted: Vec<Pick>,
    proven_by: Option<Ticket>,
    refusals: Vec<Refusal>,
    notes: Vec<Note>,
    /// How often the accepted sequence has changed.
    growth: usize,
}

/// What is known about one atom.
#[derive(Debug, Clone, Default)]
struct Note {
    accepted: Option<Proof>,
    unanswered: Option<Ticket>,
    /// The growth of the accepted sequence at the newest refusal.
    refused_at: usize,
}

#[derive(Debug, Clone, Copy)]
struct Proof {
    rung: usize,
    ticket: Ticket,
    group: usize,
}

impl Ledger {
    pub(crate) fn new(atoms: usize) -> Self {
        Self {
            accepted: Vec::new(),
            proven_by: None,
            refusals: Vec::new(),
            notes: vec![Note::default(); atoms],
            growth: 0,
        }
    }

    /// The accepted sequence with `fresh` on top. `fresh` is sorted; an atom in it leaves its old place.
    pub(crate) fn sequence(&self, fresh: &[Pick]) -> Vec<Pick> {
        let lifted = |pick: &Pick| fresh.binary_search_by_key(&pick.atom, |fresh| fresh.atom).is_ok();
        let kept = self.accepted.iter().filter(|pick| !lifted(pick));
        kept.chain(fresh).copied().collect()
    }

    /// `fresh` passed on top of the accepted sequence.
    pub(crate) fn accept(&mut self, fresh: &[Pick], ticket: Ticket) {
        self.accepted = self.sequence(fresh);
        self.proven_by = Some(ticket);
        self.growth += 1;
        for pick in fresh {
            let proof = Proof { rung: pick.rung, ticket, group: fresh.len() };
            self.notes[pick.atom].accepted = Some(proof);
        }
    }

    /// `pick` failed alone on top of the accepted sequence; an older refusal of it is replaced.
    pub(crate) fn refuse(&mut self, pick: Pick, ticket: Ticket) {
        self.refusals.retain(|refusal| refusal.pick != pick);
        self.refusals.push(Refusal { pick, ticket });
        self.notes[pick.atom].refused_at = self.growth;
    }

    /// `pick` alone gave no answer. That does not undo an earlier refusal.
    pub(crate) fn leave_open(&mut self, pick: Pick, ticket: Ticket) {
        if !self.is_refused(pick) {
            self.notes[pick.atom].unanswered = Some(ticket);
        }
    }

    /// The accepted rung of an atom.
    pub(crate) fn rung(&self, atom: usize) -> Option<usize> {
        self.notes[atom].accepted.map(|proof| proof.rung)
    }

    /// Whether a rung failed alone.
    pub(crate) fn is_refused(&self, pick: Pick) -> bool {
        self.refusals.iter().any(|refusal| refusal.pick == pick)
    }

    /// Whether the accepted sequence has changed since the atom was last refused.
    pub(crate) fn grew_since_refusal(&self, atom: usize) -> bool {
        self.growth > self.notes[atom].refused_at
    }

    /// What became of an atom, as far as is known now.
    pub(crate) fn fate(&self, atom: usize, spec: &AtomSpec) -> Fate {
        let note = &self.notes[atom];
        if let Some(Proof { rung, ticket, group }) = note.accepted {
            return Fate::Accepted { rung, ticket, group };
        }
        if let Some(ticket) = note.unanswered {
            return Fate::Inconclusive { ticket };
        }
        let refused = self.refusals.iter().filter(|refusal| refusal.pick.atom == atom);
        let trials: Vec<_> = refused.map(|refusal| (refusal.pick.rung, refusal.ticket)).collect();
        if trials.is_empty() || trials.len() < spec.rungs.len() {
            return Fate::Untried;
        }
        Fate::Rejected { trials }
    }

    /// All of it, as an answer.
    pub(crate) fn solution(&self, atoms: &[AtomSpec]) -> Solution {
        Solution {
            accepted: self.accepted.clone(),
            proven_by: self.proven_by,
            checkpoint: None,
            fates: atoms.iter().enumerate().map(|(atom, spec)| self.fate(atom, spec)).collect(),
            refusals: self.refusals.clone(),
        }
    }
}
