//! What is known for certain: the accepted sequence with its proofs, the refusals, the open questions.
//! Only recorded trials write here, and nothing here decides what to try next.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::{vec, vec::Vec};

use crate::batch::Proven;
use crate::lane::Failure;
use crate::{Checkpoint, Fate, Joint, Pick, Proof, Refusal, Solution, Ticket, joint};

/// The evidence so far.
#[derive(Debug, Clone)]
pub(crate) struct Ledger {
    pub(crate) accepted: Vec<Joint>,
    /// Picks that were written in one step only, each with the trial.
    together: Vec<(Ticket, Joint)>,
    pub(crate) proven_by: Option<Ticket>,
    pub(crate) checkpoint: Option<Checkpoint>,
    refusals: BTreeMap<Pick, Refused>,
    /// Rungs for which the whole matrix was no evidence.
    idle: BTreeSet<Pick>,
    notes: Vec<Note>,
    /// How many picks were accepted so far.
    pub(crate) growth: usize,
}

/// What is known about one atom.
#[derive(Debug, Clone, Default)]
struct Note {
    accepted: Option<(usize, Proven)>,
    unanswered: Option<(Pick, Ticket)>,
    /// How often it was accepted itself.
    own: usize,
    /// Whether its ladder was climbed to the end.
    settled: bool,
}

/// A refusal, and how many picks were accepted before it.
#[derive(Debug, Clone)]
struct Refused {
    failure: Failure,
    /// Without those of the same atom.
    growth: usize,
}

impl Ledger {
    pub(crate) fn new(atoms: usize) -> Self {
        Self {
            accepted: Vec::new(),
            together: Vec::new(),
            proven_by: None,
            checkpoint: None,
            refusals: BTreeMap::new(),
            idle: BTreeSet::new(),
            notes: vec![Note::default(); atoms],
            growth: 0,
        }
    }

    /// The accepted sequence with these on top; an atom in them leaves its old place, and what moves with it, too.
    pub(crate) fn sequence(&self, on_top: &[Joint]) -> Vec<Joint> {
        let mut sequence = self.accepted.clone();
        for one in on_top {
            joint::put_on_top(&mut sequence, one);
        }
        sequence
    }

    /// In this trial the package manager took the first of these picks only with the others: where the sequence of that trial is
    /// accepted, they are one.
    pub(crate) fn join(&mut self, ticket: Ticket, joint: Joint) {
        self.together.push((ticket, joint));
    }

    /// The picks that a trial took in one step only.
    pub(crate) fn told(&self, ticket: Ticket) -> impl Iterator<Item = &Joint> {
        self.together.iter().filter(move |(told, _)| *told == ticket).map(|(_, joint)| joint)
    }

    /// A sequence with all picks as one that were written in one step only, in whatever trial.
    pub(crate) fn joined(&self, mut sequence: Vec<Joint>) -> Vec<Joint> {
        for (_, one) in &self.together {
            joint::merge(&mut sequence, one);
        }
        sequence
    }

    /// The accepted joint of an atom.
    pub(crate) fn joint(&self, atom: usize) -> Option<&Joint> {
        self.accepted.iter().find(|joint| joint.has(atom))
    }

    /// These passed on top of the accepted sequence, the trial of all of them being `ticket`.
    /// Gives back the failures of tests that their picks were once refused for: one pass is no acquittal.
    pub(crate) fn accept(&mut self, passed: &[(Joint, Proven)], ticket: Option<Ticket>) -> Vec<Ticket> {
        let mut suspicious = Vec::new();
        if passed.is_empty() {
            return suspicious;
        }
        let plain: Vec<Joint> = passed.iter().map(|(joint, _)| joint.clone()).collect();
        self.accepted = self.sequence(&plain);
        for (_, one) in self.together.iter().filter(|(told, _)| Some(*told) == ticket) {
            joint::merge(&mut self.accepted, one);
        }
        for joint in &mut self.accepted {
            joint.lead(|pick| plain.iter().any(|passed| passed.picks().contains(pick)));
        }
        self.proven_by = ticket;
        let picks: Vec<(Pick, Proven)> =
            passed.iter().flat_map(|(joint, proven)| joint.picks().iter().map(|pick| (*pick, *proven))).collect();
        self.growth += picks.len();
        for (pick, proven) in &picks {
            self.notes[pick.atom].accepted = Some((pick.rung, *proven));
            self.notes[pick.atom].own += 1;
            let refused = self.refusals.remove(pick).filter(|refused| refused.failure.proof == Proof::Tests);
            suspicious.extend(refused.map(|refused| refused.failure.ticket));
        }
        suspicious
    }

    /// `pick` failed alone on top of `growth` accepted picks; an older refusal of it is replaced.
    pub(crate) fn refuse(&mut self, pick: Pick, failure: Failure, growth: usize) {
        let growth = growth.saturating_sub(self.notes[pick.atom].own);
        self.refusals.insert(pick, Refused { failure, growth });
        let unanswered = &mut self.notes[pick.atom].unanswered;
        *unanswered = unanswered.filter(|open| open.0 != pick);
    }

    /// `culprit` fails at times, as in the trial `ticket`: nothing is accepted any more, and failures of tests since it
    /// was accepted are forgotten.
    pub(crate) fn roll_back(&mut self, culprit: Pick, ticket: Ticket) {
        let since = self.notes[culprit.atom].accepted.map_or(ticket, |(_, proven)| proven.ticket);
        self.refusals.retain(|_, refused| refused.failure.ticket < since || refused.failure.proof == Proof::Certain);
        for note in &mut self.notes {
            note.unanswered = note.unanswered.filter(|open| open.1 < since);
        }
        self.replace(&[], None);
        self.growth += 1;
        self.convict(culprit, ticket);
    }

    /// `pick` was found to be at fault among all others: it is not looked at again, or it would be tried until it passes.
    pub(crate) fn convict(&mut self, pick: Pick, ticket: Ticket) {
        let bare = Failure::bare(ticket, Proof::Tests);
        self.refuse(pick, bare, usize::MAX);
    }

    /// The whole matrix is no evidence for `pick`, as the trial `ticket` says: it is not looked at again, for nothing that could
    /// be tried beside it is known to help.
    pub(crate) fn leave_out(&mut self, pick: Pick, ticket: Ticket) {
        let bare = Failure::bare(ticket, Proof::Certain);
        self.refuse(pick, bare, usize::MAX);
        self.idle.insert(pick);
    }

    /// What was accepted is not what it was: each refusal is worth another look.
    pub(crate) fn shaken(&mut self) {
        self.growth += 1;
    }

    /// The pick of an atom that gave no answer.
    pub(crate) fn unanswered(&self, atom: usize) -> Option<Pick> {
        self.notes[atom].unanswered.map(|open| open.0)
    }

    /// `pick` alone gave no answer. That does not undo an earlier refusal.
    pub(crate) fn leave_open(&mut self, pick: Pick, ticket: Ticket) {
        if !self.is_refused(pick) {
            self.notes[pick.atom].unanswered = Some((pick, ticket));
        }
    }

    /// The ladder of an atom was climbed as far as it goes.
    pub(crate) fn settle(&mut self, atom: usize) {
        self.notes[atom].settled = true;
    }

    /// The accepted sequence is this one now, as the whole matrix said; what is not in it is accepted no more.
    pub(crate) fn replace(&mut self, accepted: &[Joint], proven_by: Option<Ticket>) {
        self.accepted = accepted.to_vec();
        self.proven_by = proven_by.filter(|_| !accepted.is_empty());
        let mut rungs = vec![None; self.notes.len()];
        for pick in joint::picks(accepted) {
            rungs[pick.atom] = Some(pick.rung);
        }
        for (note, rung) in self.notes.iter_mut().zip(rungs) {
            note.accepted = match (rung, note.accepted) {
                (Some(rung), Some(old)) if old.0 == rung => Some(old),
                (Some(rung), _) => proven_by.map(|ticket| (rung, Proven { ticket, group: 1 })),
                (None, _) => None,
            };
        }
    }

    /// The accepted rung of an atom.
    pub(crate) fn rung(&self, atom: usize) -> Option<usize> {
        self.notes[atom].accepted.map(|accepted| accepted.0)
    }

    /// Whether a rung failed alone.
    pub(crate) fn is_refused(&self, pick: Pick) -> bool {
        self.refusals.contains_key(&pick)
    }

    /// A look at a refused rung failed on top of `growth` accepted picks: the refusal stands, and is newer.
    pub(crate) fn looked(&mut self, pick: Pick, growth: usize) {
        let growth = growth.saturating_sub(self.notes[pick.atom].own);
        if let Some(refused) = self.refusals.get_mut(&pick) {
            refused.growth = growth;
        }
    }

    /// Whether a rung failed alone before all other atoms that are accepted now were there.
    pub(crate) fn grew_since_refusal(&self, pick: Pick) -> bool {
        let others = self.growth - self.notes[pick.atom].own.min(self.growth);
        self.refusals.get(&pick).is_some_and(|refused| refused.growth < others)
    }

    /// Whether it is known why a rung failed: its failure named what else should move, or nothing met it.
    pub(crate) fn is_explained(&self, pick: Pick) -> bool {
        self.idle.contains(&pick)
            || self.refusals.get(&pick).is_some_and(|refused| !refused.failure.partners.is_empty())
    }

    /// Whether nothing but tests failed when a rung was refused.
    pub(crate) fn is_only_tests(&self, pick: Pick) -> bool {
        self.refusals.get(&pick).is_some_and(|refused| refused.failure.proof == Proof::Tests)
    }

    /// The tests that failed when a rung was refused, as far as they have names.
    pub(crate) fn tests(&self, pick: Pick) -> Vec<u64> {
        self.refusals.get(&pick).map(|refused| refused.failure.tests()).unwrap_or_default()
    }

    /// The refused rungs of an atom, the lowest first.
    pub(crate) fn refused(&self, atom: usize) -> impl DoubleEndedIterator<Item = Pick> + '_ {
        let all = Pick { atom, rung: 0 }..=Pick { atom, rung: usize::MAX };
        self.refusals.range(all).map(|(pick, _)| *pick)
    }

    /// What became of an atom, as far as is known now.
    fn fate(&self, atom: usize) -> Fate {
        let note = &self.notes[atom];
        if let Some((rung, Proven { ticket, group })) = note.accepted {
            return Fate::Accepted { rung, ticket, group };
        }
        if let Some((_, ticket)) = note.unanswered {
            return Fate::Inconclusive { ticket };
        }
        let mut trials: Vec<(usize, Ticket)> =
            self.refused(atom).map(|pick| (pick.rung, self.refusals[&pick].failure.ticket)).collect();
        if trials.is_empty() || !note.settled {
            return Fate::Untried;
        }
        trials.sort_by_key(|trial| trial.1);
        Fate::Rejected { trials }
    }

    /// All of it, as an answer.
    pub(crate) fn solution(&self) -> Solution {
        let refusal = |(pick, refused): (&Pick, &Refused)| Refusal { pick: *pick, ticket: refused.failure.ticket };
        let mut refusals: Vec<Refusal> = self.refusals.iter().map(refusal).collect();
        refusals.sort_by_key(|refusal| (refusal.ticket, refusal.pick));
        Solution {
            accepted: self.accepted.clone(),
            proven_by: self.proven_by,
            checkpoint: self.checkpoint.clone(),
            fates: (0..self.notes.len()).map(|atom| self.fate(atom)).collect(),
            refusals,
        }
    }
}
