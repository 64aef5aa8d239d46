//! Members that a plain build passes by (`default-members`) and that do not compile on the untouched base: the checks of
//! their workspace leave them out, so that they hold nobody else.

use std::collections::BTreeSet;

use super::baseline::{Ground, LeftOut};
use super::opened::Opened;
use super::planning::Ecosystems;
use crate::event::{Event, Listener};
use crate::plan::Plan;
use crate::project::Project;
use crate::trial::{CellReport, Grain, Turn};

/// The members of one project that are left out.
#[derive(PartialEq, Eq)]
pub struct Spare {
    project: Project,
    members: BTreeSet<String>,
}

/// Finds them after a baseline: all that makes a gate of their project red is theirs.
pub fn find(opened: &Opened<'_>, ecosystems: &Ecosystems<'_>, plan: &Plan, ground: &Ground) -> Vec<Spare> {
    let red = plan.projects.iter().filter(|project| ground.verdicts.is_red(&project.id()));
    let spare = |project: &Project| {
        let fatal = uncompiled(ground, project, |cell| cell.cell.check.grain == Grain::Whole);
        let known = ecosystems.of(project).filter(|_| !fatal.is_empty())?;
        // A gate ends at the first that does not compile; the other checks go on and name the rest.
        let spare = known.spare(&opened.worker.tree(), project, &uncompiled(ground, project, |_| true));
        let is_spare = fatal.iter().all(|package| spare.contains_key(package));
        is_spare.then(|| Spare { project: project.clone(), members: spare.into_values().flatten().collect() })
    };
    red.filter_map(spare).collect()
}

/// The packages of a project that these checks of every trial do not compile.
fn uncompiled(ground: &Ground, project: &Project, counts: impl Fn(&CellReport) -> bool) -> BTreeSet<String> {
    let cells = ground.runs.iter().flat_map(|(_, report)| &report.cells);
    let its = cells.filter(|cell| cell.cell.project == project.id() && cell.cell.check.turn == Turn::Always);
    let targets = its.filter(|cell| counts(cell)).flat_map(|cell| &cell.reading.unbuilt);
    targets.filter_map(|target| target.split(' ').next()).map(str::to_owned).collect()
}

impl Spare {
    /// Tells of them.
    pub fn told(&self, listener: &dyn Listener) -> LeftOut {
        let names: Vec<String> = self.members.iter().map(|member| format!("`{member}`")).collect();
        let text = format!(
            "{}: {} does not compile before any upgrade, and a plain `cargo build` passes it by (`default-members`), so \
             that is left out",
            self.project.id(),
            names.join(", ")
        );
        listener.tell(&Event::Warned { text: text.clone() });
        LeftOut { project: self.project.id(), text }
    }

    /// Takes them out of the matrix; the user's own checks stay as they are.
    pub fn leave_out(&self, opened: &Opened<'_>, ecosystems: &Ecosystems<'_>, plan: &mut Plan) {
        let (id, known) = (self.project.id(), ecosystems.of(&self.project));
        let cells = std::mem::take(&mut plan.cells).into_iter().filter_map(|mut cell| {
            if cell.project == id && !opened.config.is_own(&self.project, &cell.check.name) {
                cell.check = known?.without(cell.check, &self.members)?;
            }
            Some(cell)
        });
        plan.cells = cells.collect();
    }
}
