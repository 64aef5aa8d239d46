//! Runs searches in many worlds and averages what they took; prints rows and aims.

use xupgrade_search::sim::{Run, World, drive_rounds};
use xupgrade_search::{AtomSpec, Fate, Options, Outcome, Pick, Proof, Proposal, Scope, Search, Solution, Why};

/// What one search took, in trials.
#[derive(Debug, Clone, Copy, Default)]
pub struct Took {
    /// Trials that search.
    pub search: usize,
    /// Second looks at what was rejected, which the research's tables do not count or count apart.
    pub looks: usize,
    /// Two or more that were rejected, tried as one.
    pub pairs: usize,
    /// Runs of failed tests once more.
    pub again: usize,
    /// Trials of the gates alone.
    pub gate: usize,
    /// Runs of the whole matrix.
    pub full: usize,
    /// Trials that ran the tests of what passed it several times more.
    pub often: usize,
    /// Rounds of trials that run side by side.
    pub rounds: usize,
}

impl Took {
    fn of(run: &Run) -> Self {
        let mut took = Self { rounds: run.rounds, ..Self::default() };
        for (proposal, _) in &run.trials {
            match proposal.scope {
                Scope::Concerned if proposal.why == Why::SecondLook => took.looks += 1,
                Scope::Concerned if proposal.why == Why::Pair => took.pairs += 1,
                Scope::Concerned => took.search += 1,
                Scope::Again { .. } => took.again += 1,
                Scope::Gate => took.gate += 1,
                Scope::Full => took.full += 1,
                Scope::Often { .. } => took.often += 1,
            }
        }
        took
    }

    /// What the search itself costs, as the research counts: without the whole matrix, and without looking again
    /// at what was rejected.
    pub fn searching(&self) -> usize {
        self.search + self.again + self.gate
    }

    /// What is tried of what was rejected.
    pub fn afterwards(&self) -> usize {
        self.looks + self.pairs
    }
}

/// One world settled.
pub struct Settled {
    pub took: Took,
    /// Trials of the search that ended at their gates.
    pub stopped: usize,
    pub solution: Solution,
    pub world: World,
}

impl Settled {
    /// What would be published: what passed the whole matrix, or where the search verifies nothing, what it accepted.
    pub fn published(&self) -> Vec<Pick> {
        match &self.solution.checkpoint {
            Some(checkpoint) => checkpoint.picks(),
            None if self.took.full > 0 => Vec::new(),
            None => self.solution.picks(),
        }
    }

    /// Whether what would be published is good in truth.
    pub fn is_clean(&self) -> bool {
        self.world.culprit(&self.published()).is_none()
    }

    /// How many atoms that would have passed on top of what is accepted were rejected.
    pub fn wrongly_held(&self) -> usize {
        let accepted = &self.solution.picks();
        let fits = |atom: usize| {
            let on_top = |rung| [&accepted[..], &[Pick { atom, rung }]].concat();
            (0..self.world.rungs[atom].len()).any(|rung| self.world.culprit(&on_top(rung)).is_none())
        };
        // Where something bad got in, nothing passes on top of it: then a rejected good atom is one that passes alone.
        let alone = |atom: usize| {
            let pick = |rung| [Pick { atom, rung }];
            (0..self.world.rungs[atom].len()).any(|rung| self.world.culprit(&pick(rung)).is_none())
        };
        let sound = self.world.culprit(accepted).is_none();
        let is_held = |(atom, fate): &(usize, &Fate)| {
            matches!(fate, Fate::Rejected { .. }) && if sound { fits(*atom) } else { alone(*atom) }
        };
        self.solution.fates.iter().enumerate().filter(is_held).count()
    }
}

/// Searches a world to its end with so many workers.
pub fn settle(atoms: &[AtomSpec], world: World, options: &Options, room: usize) -> Settled {
    settle_with(atoms, world, options, room, |_| ())
}

/// The same, and shows every trial to `spend`.
pub fn settle_with(
    atoms: &[AtomSpec],
    mut world: World,
    options: &Options,
    room: usize,
    mut spend: impl FnMut(&Proposal),
) -> Settled {
    let mut search = Search::new(atoms, options);
    let run = drive_rounds(&mut search, room, 1_000_000, |proposal| {
        spend(proposal);
        world.answer(proposal)
    });
    let took = Took::of(&run);
    let is_stopped = |(proposal, outcome): &&(Proposal, Outcome)| {
        let searches = proposal.scope == Scope::Concerned && !matches!(proposal.why, Why::SecondLook | Why::Pair);
        searches && matches!(outcome, Outcome::Failed { proof: Proof::Certain, .. })
    };
    let stopped = run.trials.iter().filter(is_stopped).count();
    let Some(solution) = run.solution else {
        panic!("a search of {} atoms came to no end after {} trials", atoms.len(), run.trials.len());
    };
    Settled { took, stopped, solution, world }
}

/// The mean of many counts.
pub fn mean(counts: impl IntoIterator<Item = usize>) -> f64 {
    let (mut sum, mut number) = (0, 0);
    for count in counts {
        sum += count;
        number += 1;
    }
    share(sum, number)
}

/// A quotient of two counts.
#[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52, and shown with a digit or two")]
pub fn share(part: usize, whole: usize) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

/// A row: its name, then its cells.
pub fn row(name: &str, cells: &[String]) {
    print!("{name:<34}");
    for cell in cells {
        print!(" {cell:>9}");
    }
    println!();
}

/// A row of numbers with one digit.
pub fn numbers(name: &str, cells: &[f64]) {
    row(name, &cells.iter().map(|cell| format!("{cell:.1}")).collect::<Vec<_>>());
}

/// The heading of a table.
pub fn heading(title: &str, names: &[String]) {
    println!("\n{title}");
    row("", names);
}

/// What was aimed at, and whether it was met.
pub fn aim(what: &str, met: bool) {
    println!("  {:<7} {what}", if met { "met" } else { "MISSED" });
}
