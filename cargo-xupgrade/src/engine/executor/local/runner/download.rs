//! Downloads the packages of a tree before its checks run, as cargo and go are offline there: once for each tree and project,
//! whatever trial or worker asks.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;

use super::TrialRunner;
use crate::candidate::{ProjectId, Reason, ReasonKind};
use crate::engine::executor::Order;
use crate::machine::mutex::lock;
use crate::phrases::{cargo, go};
use crate::project::Project;
use crate::trial::{Check, Noise, TrialEnd, TrialReport};
use crate::verdict::download_refusal;

/// The checks for which everything is downloaded, by the tested tree (none: the base) and the project.
pub(in super::super) type Fetched = BTreeMap<(Option<String>, ProjectId), BTreeSet<String>>;

impl TrialRunner<'_> {
    /// Fetches for each project of the order. A failure is written into the report.
    pub(super) fn fetch(&self, order: &Order, report: &mut TrialReport) -> Result<()> {
        for project in self.projects_of(&order.cells) {
            let id = project.id();
            let own = order.cells.iter().filter(|cell| cell.project == id);
            let checks: Vec<&Check> = own.map(|cell| &cell.check).collect();
            let names: BTreeSet<String> = checks.iter().map(|check| check.name.clone()).collect();
            let place = (report.tested.clone(), id);
            if lock(&self.shared.fetched).get(&place).is_some_and(|known| names.is_subset(known)) {
                continue;
            }
            match self.ecosystem(project)?.fetch(&self.worker.tree(), project, &checks) {
                Ok(()) => lock(&self.shared.fetched).entry(place).or_default().extend(names),
                Err(error) => note_download(report, project, &format!("{error:#}"), order),
            }
        }
        Ok(())
    }
}

/// A download that failed: in the baseline it concerns its project alone, in a trial the whole trial.
fn note_download(report: &mut TrialReport, project: &Project, words: &str, order: &Order) {
    let text = format!("cannot download what {} needs: {words}", project.id());
    match download_refusal(words) {
        refusal if order.kind.is_of_base() => {
            let reason = refusal
                .or_else(|| stale_lock(words))
                .unwrap_or_else(|| Reason::new(ReasonKind::RegistryUnreachable, text));
            report.unfetched.insert(project.id(), reason);
        }
        // Another project's answer that did not come leaves open how this trial ends.
        Some(reason) if report.noise().is_none() => report.end = TrialEnd::Unfit(reason),
        Some(_) => {}
        None => report.end = TrialEnd::Noise(Noise::Outside(text)),
    }
}

/// A lockfile that does not fit its manifests: cargo and go repair it unless told not to, and green would mean nothing.
fn stale_lock(words: &str) -> Option<Reason> {
    if cargo::is_stale_lock(words) {
        let text = "before any upgrade its Cargo.lock does not fit its manifests, so `--locked` fails; \
                    run `cargo update --workspace` and commit the lockfile";
        return Some(Reason::new(ReasonKind::BaselineRed, text));
    }
    go::is_incomplete(words).then(|| {
        let text = "before any upgrade its go.mod or go.sum is not complete; run `go mod tidy` and commit both";
        Reason::new(ReasonKind::BaselineRed, format!("{text}: {words}"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::candidate::EcosystemKind;
    use crate::engine::executor::conformance::empty_order;

    #[test]
    fn where_one_project_has_no_answer_the_refusal_of_another_decides_nothing() {
        let (order, project) = (empty_order("t1"), Project::of(EcosystemKind::Go, ".", &["go.mod"]));
        let refused = "verifying ex.com/x@v1.0.0: checksum mismatch";
        let end = |said: &[&str]| {
            let mut report = TrialReport::default();
            for words in said {
                note_download(&mut report, &project, words, &order);
            }
            report.end
        };
        assert!(matches!(end(&[refused]), TrialEnd::Unfit(_)));
        for said in [["no answer", refused], [refused, "no answer"]] {
            assert!(matches!(end(&said), TrialEnd::Noise(_)), "{said:?}");
        }
    }
}
