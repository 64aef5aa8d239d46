//! Heeds what a package manager says of the ladders of a plan before anything is built: rungs that it refuses leave them,
//! and the set that it resolves at once is where the search begins. Pure.

use xupgrade_search::{Depth, Pick};

use super::{Plan, held};
use crate::candidate::{Beyond, Candidate, Rung};
use crate::project::Resolved;

impl Plan {
    /// Heeds how far candidates get, given by their positions. Those of which no rung is left are held.
    pub fn heed(&mut self, reached: impl IntoIterator<Item = (usize, Resolved)>) {
        for (index, resolved) in reached {
            heed(&mut self.candidates[index], resolved);
        }
        let (stay, go) = std::mem::take(&mut self.candidates).into_iter().partition(|one| !one.rungs.is_empty());
        self.candidates = stay;
        let go: Vec<Candidate> = go;
        for candidate in go {
            let Some(highest) = candidate.refused.first() else { continue };
            let reason = highest.reason.clone();
            let wanted = Some(highest.version.clone());
            self.held.push(crate::candidate::Held { wanted, ..held(&candidate, reason) });
        }
        self.sort();
    }

    /// The set that all package managers resolve at once, in plan order, but for versions that failed in an earlier run.
    #[must_use]
    pub fn together(&self) -> Vec<Pick> {
        let pick = |(atom, candidate): (usize, &Candidate)| {
            let together = candidate.together.as_ref()?;
            let rung = candidate.rungs.iter().position(|rung| rung.version == *together)?;
            Some(Pick { atom, rung }).filter(|_| !self.known.has_failed(candidate, &candidate.rungs[rung]))
        };
        self.candidates.iter().enumerate().filter_map(pick).collect()
    }
}

fn heed(candidate: &mut Candidate, resolved: Resolved) {
    let mut refused = Vec::new();
    for (position, reason) in resolved.refused.into_iter().rev() {
        if position < candidate.rungs.len() {
            refused.push(Beyond { version: candidate.rungs.remove(position).version, reason });
        }
    }
    candidate.refused = refused;
    candidate.together = resolved.together;
    for breaking in [false, true] {
        let top = candidate.rungs.iter_mut().rfind(|rung| rung.breaking == breaking);
        if let Some(top) = top {
            top.depth = Depth::Rung;
        }
    }
    let together = candidate.together.clone();
    let is_it = |rung: &&mut Rung| Some(&rung.version) == together.as_ref();
    if let Some(rung) = candidate.rungs.iter_mut().find(is_it) {
        rung.depth = Depth::Rung;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::candidate::{Reason, ReasonKind, Version};
    use crate::plan::Plan;

    fn resolved(together: Option<&str>, refused: &[usize]) -> Resolved {
        let reason = |position: &usize| (*position, Reason::new(ReasonKind::Msrv, format!("because of {position}")));
        Resolved {
            together: together.map(|text| Version::parse(text).unwrap()),
            refused: refused.iter().map(reason).collect(),
        }
    }

    fn versions(candidate: &Candidate) -> Vec<String> {
        candidate.rungs.iter().map(|rung| rung.version.to_string()).collect()
    }

    #[test]
    fn a_refused_rung_leaves_the_ladder_and_the_highest_below_it_is_a_rung() {
        let mut one = Candidate::of("x", &["1.0.1", "1.1.0", "1.2.0"]);
        one.rungs[1].depth = Depth::Between;
        let mut plan = Plan::of("base", vec![one]);
        plan.heed([(0, resolved(Some("1.1.0"), &[2]))]);
        let found = &plan.candidates[0];
        assert_eq!(versions(found), ["1.0.1", "1.1.0"]);
        assert_eq!(found.rungs[1].depth, Depth::Rung);
        assert_eq!(found.refused[0].version.to_string(), "1.2.0");
        assert_eq!(plan.together(), [Pick { atom: 0, rung: 1 }]);
    }

    #[test]
    fn a_candidate_without_a_rung_is_held_with_the_reason_of_the_highest() {
        let mut plan = Plan::of("base", vec![Candidate::of("x", &["1.1.0", "1.2.0"]), Candidate::of("y", &["2.0.0"])]);
        plan.heed([(0, resolved(None, &[0, 1])), (1, resolved(Some("2.0.0"), &[]))]);
        assert_eq!(plan.candidates.len(), 1);
        assert_eq!((plan.held[0].id.name.as_str(), plan.held[0].reason.text.as_str()), ("x", "because of 1"));
        assert_eq!(plan.held[0].wanted.as_ref().unwrap().to_string(), "1.2.0");
        assert_eq!(plan.together(), [Pick { atom: 0, rung: 0 }]);
    }
}
