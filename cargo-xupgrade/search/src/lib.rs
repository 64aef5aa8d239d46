//! The pure search: which upgrades to try together next, and what each verdict taught.
//!
//! It touches nothing: no clock, no files, no threads, no floats, no randomness. The caller asks
//! [`Search::next`] for trials, runs them anywhere, and tells each outcome to [`Search::record`];
//! how the search chooses is nobody else's business. It is `no_std` so that the compiler keeps it pure.
//!
//! What it keeps to, whatever the answers are:
//! - *Sound*: the accepted sequence of a [`Solution`] was itself tried and passed, or is empty; a checkpoint passed the
//!   whole matrix as often as was asked for, and its tests so many times more without a failure that counts.
//! - *Honest*: a rejected rung has a failing trial in whose last joint it is, and what stands before that there passed
//!   (or is empty). Where only tests failed, one of them failed with it again and again when it ran by name, and not once
//!   without it (`evidence`). (Only what fails within the whole matrix again and again, but never when its tests run alone, is
//!   rejected on that; and what the whole matrix left unproved, on that.)
//! - *Literal*: a failure is only inferred for a sequence that is pick for pick the one that failed. A
//!   lockfile depends on the path taken to it, so the same upgrades in another order are another trial.
//! - *Total*: it ends after a bounded number of trials, and no order of calls makes it panic.
//! - *Order-free*: where nothing fails by chance, and nothing fails for want of another, the solution is the same
//!   whatever the number of trials under way and the order of their answers: of two that clash, the first in the
//!   canonical order stays (compatible before breaking, then the lower risk as guessed before anything was tried, then
//!   kin, then who makes most be built anew beside those for whom the same is, then plan order). Where some need others
//!   it nearly always is (`scripts/bench-search --table order`).
//! - *Monotone*: more room never makes the solution worse.
//!
//! How it goes, from the inside out: a `lane` settles a run of picks on a fixed base, a `batch` settles one generation
//! with lanes side by side and unions of what they keep (`chance` and `bill` say what is worth a trial, `clue` who is more
//! likely to blame since something failed), `sieve` sends it through cheap gates first, `ladder` says what an atom tries
//! next, `search` goes from generation to generation and stage to stage, and `verify` has the last word with the whole
//! matrix.
#![no_std]

extern crate alloc;

mod batch;
mod bill;
mod chance;
mod clue;
mod evidence;
mod joint;
mod ladder;
mod lane;
mod ledger;
mod order;
mod rescue;
mod schedule;
mod search;
mod sieve;
#[cfg(any(test, feature = "sim"))]
pub mod sim;
mod stage;
mod tally;
mod verify;

use alloc::collections::BTreeSet;
use alloc::vec::Vec;

pub use joint::Joint;
pub use search::Search;

/// A chance in 1/1000. Values are brought into 1..=999: nothing is certain before it was tried.
pub type Permille = u16;

/// What moves together: one ladder, or a family that climbs as one. Atoms are known by their place in
/// the list given to [`Search::new`], and that order is the *plan order*.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AtomSpec {
    /// The rungs, **lowest version first**. The highest compatible one is tried first, a failure goes one
    /// rung lower, and breaking ones follow when all compatible ones are settled, again from the highest.
    /// An atom without rungs stays [`Fate::Untried`].
    pub rungs: Vec<RungSpec>,
    /// Atoms of the same kin are likely to make the same things be built anew; among equal risks they come together.
    pub kin: usize,
    /// The things (numbers of the caller's) that are built and tested anew when it moves, in rising order; empty where that
    /// is not known. Each takes about the same time, and a trial builds it once, whoever of its picks asks for it:
    /// [`Strategy::Split`] asks for what teaches most for its cost.
    pub builds: Vec<usize>,
}

/// One version (or set of versions) that an atom may climb to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RungSpec {
    /// The chance that this rung fails, as guessed before anything was tried.
    pub risk: Permille,
    /// Whether the step is compatible under the rules of its ecosystem.
    pub breaking: Break,
    /// Whether it is a rung by itself, or only tried when every rung of its kind has failed.
    pub depth: Depth,
}

/// What a release is on its ladder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Depth {
    /// Tried in its turn.
    #[default]
    Rung,
    /// Between the rungs: where the rungs of its kind above it have failed, it is a place of the bisection below them.
    Between,
}

/// Whether a step keeps to what its ecosystem calls compatible.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Break {
    /// No change of the code that uses it should be needed.
    Compatible,
    /// The author announced that something breaks.
    Breaking,
}

/// One atom at one of its rungs; both are places in the lists given to [`Search::new`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Pick {
    /// Place of the atom in the plan.
    pub atom: usize,
    /// Place of the rung on its ladder, 0 being the lowest.
    pub rung: usize,
}

/// The name of one trial, unique within a search and rising in the order of the proposals, from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ticket(u64);

impl Ticket {
    /// The number of the trial, from 1.
    #[must_use]
    pub fn number(self) -> u64 {
        self.0
    }
}

/// A trial worth running: the base with `picks` applied one after another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proposal {
    /// What to hand back to [`Search::record`].
    pub ticket: Ticket,
    /// The whole sequence in commit order: what is accepted, then the fresh ones in canonical order (see the top of this
    /// crate). An atom stands in it once: a fresh pick of an accepted atom (a lift to a breaking rung) takes the atom, and what
    /// moves with it, out of its old place and puts it at the end. Empty only where a failure runs again on nothing at all, as
    /// evidence.
    pub joints: Vec<Joint>,
    /// How many of the joints, counted from the end, hold a pick that is not accepted yet; 0 where the whole matrix runs on what
    /// is accepted, and where a failure runs again without the pick that is suspected.
    pub fresh: usize,
    /// How much of the matrix it is to run.
    pub scope: Scope,
    /// Why this trial was chosen.
    pub why: Why,
}

/// How much of the matrix a trial runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// The gates that the fresh picks concern: does it resolve, does it compile. To pass this accepts nothing, and to
    /// fail it rejects nothing: who fails here is tried alone next.
    Gate,
    /// Those gates, then the tests of what depends on the fresh picks. Cached results count.
    Concerned,
    /// The whole matrix, nothing cached. Only what passed this is ever a checkpoint.
    Full,
    /// All tests of the whole matrix several times, nothing cached: a failure in any of the runs is one.
    Often {
        /// The number of runs at most.
        runs: u32,
    },
    /// The tests that failed in that trial, nothing cached, on these picks: the same ones (do they fail
    /// again?), or those without its fresh ones (do they fail without them, too?). The answer is [`Outcome::Counted`].
    Again {
        /// The trial that failed.
        of: Ticket,
        /// The company in which they run.
        reach: Reach,
        /// The number of runs that are wanted. Of a check that names no test two are enough.
        runs: u32,
        /// Condition for fewer of them.
        until: Until,
    },
}

/// The company in which tests that failed run again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reach {
    /// None: each by its name, and counted by itself.
    Tests,
    /// All of the units that hold them: such a unit is counted as one, and is red where any test of it fails that is not known to.
    Units,
}

/// The end of several runs of the same tests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Until {
    /// The last of them.
    Done,
    /// The first in which a test failed.
    Red,
}

/// The runs of one test of those that a [`Scope::Again`] asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Count {
    /// The test, as a number of the caller's; `None` for a check that names none and runs whole.
    pub test: Option<u64>,
    /// The runs in which it failed.
    pub red: u32,
    /// The runs in which it passed.
    pub green: u32,
}

impl Proposal {
    /// All its picks, in commit order.
    #[must_use]
    pub fn picks(&self) -> Vec<Pick> {
        joint::picks(&self.joints)
    }

    /// The picks that this trial is about, with those that move along with them.
    #[must_use]
    pub fn fresh_picks(&self) -> Vec<Pick> {
        joint::picks(&self.joints[self.joints.len() - self.fresh..])
    }
}

/// Why a trial was chosen, for people who ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Why {
    /// The first trial of the search.
    First,
    /// Several untried picks whose common trial teaches most for its cost: it passes about every second time.
    Group,
    /// A part of a group that failed or twice gave no answer.
    Half,
    /// One pick alone: the risk is high, or it is what is left of a group that failed.
    Leaf,
    /// The same again, as the first time gave no answer.
    Retry,
    /// One pick alone, as evidence of a failed group named it, or as it failed among others at the gates.
    Suspect,
    /// A rejected pick once more: what was accepted has grown since, and may hold its partner.
    SecondLook,
    /// What passed last time, as a whole.
    LastTime,
    /// The set that the package managers resolve at once, as a whole.
    AtOnce,
    /// Two picks as one: the failure of one named the other, or both were rejected.
    Pair,
    /// What passed side by side, now together.
    Union,
    /// A release between the rungs, half way of what is open.
    Bisect,
    /// A release right above the one that a bisection found.
    Neighbour,
    /// A failure once more, before it counts.
    Confirm,
    /// What failed, without the pick that is suspected.
    Bracket,
    /// The whole matrix on what was accepted.
    Verify,
    /// The tests of what passed the whole matrix, several times more.
    Often,
}

/// How a trial went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Every cell tried passed.
    Passed,
    /// Some cell failed, or the picks do not resolve.
    Failed {
        /// Atoms that deterministic evidence names: the resolver refused them on top of those before, no cell compiled
        /// them, or the errors of a compiler name no other. Each is tried alone; may be empty, and atoms that were not
        /// fresh in the trial are ignored.
        suspects: Vec<usize>,
        /// Atoms that the words of the failure name as those that should move, too. May be empty or nonsense.
        partners: Vec<usize>,
        /// What failed, as far as it is known: for each thing by itself where to look.
        marks: Vec<Mark>,
        /// How far it can be believed.
        proof: Proof,
        /// All tests that failed, where all else ran and passed; `None` where more may have failed.
        only: Option<BTreeSet<u64>>,
    },
    /// Runs of each test, of [`Scope::Again`] only. A test that is not among them gave no answer.
    Counted {
        /// The tests, in any order; none where nothing was learnt.
        tests: Vec<Count>,
    },
    /// Of [`Scope::Full`] only: nothing failed, and yet it is no evidence for these atoms, as nothing in it met them. They
    /// leave the set, each with this trial as its reason.
    Unproved {
        /// The atoms, in any order; those that were not in the trial are ignored.
        atoms: Vec<usize>,
    },
    /// Noise: nothing was learnt.
    Inconclusive,
}

/// Something that failed: a package with its tests, say. It only guides where to look first.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Mark {
    /// Its tests that failed, as numbers of the caller's: two failures that share one may have one cause. Empty where none
    /// is known by name.
    pub tests: Vec<u64>,
    /// Atoms that it stands on: one of them is likely to blame. Empty where that is not known.
    pub within: Vec<usize>,
}

/// How far a failure can be believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Proof {
    /// The same every time: it does not resolve, it does not compile.
    Certain,
    /// Tests failed, none of which is known to be flaky; one run of them is no proof.
    Tests,
}

/// What the search wants next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Run these; they are independent of each other. Never empty, never more than there is room for.
    Try(Vec<Proposal>),
    /// Nothing to propose before an outstanding trial is recorded (or before there is room).
    Wait,
    /// The search is over; asking again gives the same answer.
    Done(Solution),
}

impl Solution {
    /// The accepted picks, in commit order.
    #[must_use]
    pub fn picks(&self) -> Vec<Pick> {
        joint::picks(&self.accepted)
    }
}

impl Checkpoint {
    /// Its picks, in commit order.
    #[must_use]
    pub fn picks(&self) -> Vec<Pick> {
        joint::picks(&self.joints)
    }
}

/// What came of the search.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Solution {
    /// What was accepted, in commit order.
    pub accepted: Vec<Joint>,
    /// The passed trial of exactly `accepted` (where the caller told meanwhile what is written in one step, of the same picks,
    /// one by one); `None` when nothing was accepted.
    pub proven_by: Option<Ticket>,
    /// The newest sequence that passed the whole matrix as often as was asked for, with those trials.
    pub checkpoint: Option<Checkpoint>,
    /// What became of each atom, in plan order.
    pub fates: Vec<Fate>,
    /// Every rung that failed alone, also of atoms that landed on another rung, in the order of the trials.
    pub refusals: Vec<Refusal>,
}

/// A sequence that passed the whole matrix.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// The sequence, in commit order.
    pub joints: Vec<Joint>,
    /// The [`Scope::Full`] trials of exactly this sequence that passed.
    pub proven_by: Vec<Ticket>,
}

/// What became of one atom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fate {
    /// It is part of the solution.
    Accepted {
        /// The rung it landed on.
        rung: usize,
        /// The trial in which that rung first passed.
        ticket: Ticket,
        /// How many fresh atoms that trial proved together.
        group: usize,
    },
    /// Every rung that its ladder led to failed alone on top of what was accepted then, or the whole matrix failed with it.
    Rejected {
        /// Each of these rungs with its failing trial, in the order of the trials.
        trials: Vec<(usize, Ticket)>,
    },
    /// No rung passed, and one of them gave no answer twice.
    Inconclusive {
        /// The newest trial of it alone that gave no answer.
        ticket: Ticket,
    },
    /// The search was stopped before the ladder was climbed down (some rungs may have been refused), or
    /// there are no rungs.
    Untried,
}

/// A rung that failed alone on top of what was accepted then.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refusal {
    /// The atom and its rung.
    pub pick: Pick,
    /// The newest failing trial.
    pub ticket: Ticket,
}

/// How the search chooses; the promises at the top of this crate hold for each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Strategy {
    /// Groups that pass about every second time, on top of what passed; a group that fails is split.
    #[default]
    Split,
    /// Each atom alone in plan order, on top of what passed.
    OneByOne,
    /// All at once; what fails is cut in the middle.
    Halving,
    /// All at once, and nothing else: either everything passes or nothing moves.
    All,
}

/// What a search is told at its start, beside the atoms.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// How to choose.
    pub strategy: Strategy,
    /// How far to go down where every rung has failed.
    pub below: Below,
    /// How many passed runs of the whole matrix make a checkpoint; at least 1 is taken.
    pub verify_runs: u32,
    /// Number of further runs, at most, of the tests of a set that passed the whole matrix, before it is a checkpoint: a test
    /// that fails at times because of a pick shows itself there.
    pub more_runs: u32,
    /// Limit of the runs, with a pick and without it, of whole units of tests, where others of their tests fail each time. Ten red ones
    /// convict; after as many as this with fewer the failure counts as the base's, but for a limit below 60: there three or more
    /// end without an answer. Taken as 20 where it is lower, the number of green ones that acquit.
    pub runs_of_units: u32,
    /// What the gates cost, of a trial that passes, in 1/1000; 1000 where nothing is known. Where they are cheap,
    /// [`Strategy::Split`] searches with them alone before tests run.
    pub gate_cost: Permille,
    /// What passed last time: tried as a whole before anything else. Picks that do not exist are ignored.
    pub last_time: Vec<Joint>,
    /// The set that the package managers resolve at once: tried as a whole before anything else by the strategies that try groups.
    /// What moved as one last time is one in it, or tried right after it; the rest of last time is not. Picks that do not exist are
    /// ignored.
    pub at_once: Vec<Pick>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            strategy: Strategy::Split,
            below: Below::Bisect,
            verify_runs: 2,
            more_runs: 0,
            runs_of_units: evidence::MOST_OF_UNITS,
            gate_cost: 1000,
            last_time: Vec::new(),
            at_once: Vec::new(),
        }
    }
}

/// What happens to an atom of which the highest rungs of a kind have failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Below {
    /// The releases below the lowest rung that failed, and above one that passed, are bisected.
    #[default]
    Bisect,
    /// Nothing: only rungs are tried.
    Rungs,
}
