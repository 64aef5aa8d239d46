//! Has the package managers resolve all upgrades of a plan at once, before anything is built, so that the plan knows how
//! far each of them gets. Runs none of the project's code; the clone is left as it was.

use anyhow::Result;

use super::opened::Opened;
use super::planning::Ecosystems;
use crate::candidate::{Candidate, Named};
use crate::ecosystem::{Everything, Ground};
use crate::event::{Event, Listener};
use crate::plan::{Plan, named_held};
use crate::project::Project;

/// Resolves each project's upgrades at once, and takes out of the plan what its package manager refuses.
pub fn resolve(
    opened: &Opened<'_>,
    ecosystems: &Ecosystems<'_>,
    plan: &mut Plan,
    listener: &dyn Listener,
) -> Result<()> {
    let projects: Vec<Project> = plan.projects.iter().filter(|one| !of(plan, one).is_empty()).cloned().collect();
    if projects.is_empty() {
        return Ok(());
    }
    let ground = if opened.config.setup.commands.is_empty() { Ground::Whole } else { Ground::NotSetUp };
    let mut reached = Vec::new();
    for project in &projects {
        let positions = of(plan, project);
        let candidates: Vec<&Candidate> = positions.iter().map(|&index| &plan.candidates[index]).collect();
        let settled = settled(plan, project);
        let all = Everything { project, candidates: &candidates, settled: &settled, ground };
        let Some(ecosystem) = ecosystems.of(project) else { continue };
        let what = format!("resolving {}", project.id());
        listener.tell(&Event::Began { what: what.clone() });
        reached.extend(positions.iter().copied().zip(ecosystem.resolve_all(&opened.worker.tree(), &all)?));
        listener.tell(&Event::Ended { what });
    }
    plan.heed(reached);
    Ok(())
}

/// The positions of a project's candidates.
fn of(plan: &Plan, project: &Project) -> Vec<usize> {
    let is_its = |one: &Candidate| one.id.project == project.id();
    plan.candidates.iter().enumerate().filter(|(_, one)| is_its(one)).map(|(index, _)| index).collect()
}

/// The other dependencies that manifests of a project name: no upgrade of theirs is tried.
fn settled(plan: &Plan, project: &Project) -> Vec<Named> {
    let all = plan.held.iter().map(named_held).chain(plan.newest.iter().cloned());
    let is_its = |one: &Named| one.id.project == project.id();
    all.filter(|one| is_its(one) && one.id.role.is_direct()).collect()
}
