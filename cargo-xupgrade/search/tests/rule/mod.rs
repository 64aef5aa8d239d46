//! Drives a search against a small world, or against answers by a rule. Shared by the tests that tell stories.

use xupgrade_search::sim::{Run, World, drive};
use xupgrade_search::{
    AtomSpec, Break, Depth, Options, Outcome, Proof, Proposal, RungSpec, Search, Solution, Step, Strategy,
};

pub fn atom(rungs: &[(u16, Break)]) -> AtomSpec {
    AtomSpec {
        rungs: rungs.iter().map(|&(risk, breaking)| RungSpec { risk, breaking, depth: Depth::Rung }).collect(),
        kin: 0,
        builds: Vec::new(),
    }
}

pub fn run(atoms: &[AtomSpec], mut world: World) -> (Run, Solution) {
    let run = drive(
        &mut Search::new(atoms, &Options { strategy: Strategy::Split, ..Options::default() }),
        1000,
        |proposal| world.answer(proposal),
    );
    let solution = run.solution.clone().expect("a small world ends");
    (run, solution)
}

/// Drives a search with so many trials at once, answered newest first, and the answers are made by `answer`.
pub fn run_wide(
    search: &mut Search,
    room: usize,
    mut answer: impl FnMut(&Proposal) -> Outcome,
) -> (Vec<Proposal>, Solution) {
    let (mut asked, mut waiting) = (Vec::new(), Vec::<Proposal>::new());
    loop {
        match search.next(room - waiting.len()) {
            Step::Done(solution) => return (asked, solution),
            Step::Wait => {}
            Step::Try(proposals) => {
                asked.extend(proposals.clone());
                waiting.extend(proposals);
            }
        }
        assert!(asked.len() < 1000, "no end in sight: {:?}", asked.last());
        let proposal = waiting.pop().expect("something is under way");
        search.record(proposal.ticket, answer(&proposal));
        let moot = search.obsolete();
        waiting.retain(|proposal| !moot.contains(&proposal.ticket));
    }
}

pub fn fails(proof: Proof) -> Outcome {
    Outcome::Failed { suspects: vec![], partners: vec![], marks: vec![], proof, only: None }
}

pub fn has(proposal: &Proposal, atom: usize) -> bool {
    proposal.picks().iter().any(|pick| pick.atom == atom)
}
