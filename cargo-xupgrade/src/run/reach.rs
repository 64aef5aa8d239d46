//! Which files of a project an upgrade may write: those that git tracks, at their own place.

use crate::candidate::{Reason, ReasonKind};
use crate::ecosystem::Project;
use crate::worker::Tracked;

/// Holds a project of which a file is reached by a symbolic link: what is written there ends up elsewhere, perhaps
/// outside, and the tree that is tested is not what git sees.
pub fn refuse_links(project: &mut Project, tracked: &Tracked) {
    let mut files = project.manifests.iter().chain(&project.lockfile);
    let Some((file, link)) = files.find_map(|file| tracked.link_in(file).map(|link| (file, link))) else { return };
    let text = format!("{file} is reached by the symbolic link {link}, which is not written through; put a file there");
    project.obstacle.get_or_insert(Reason::new(ReasonKind::UnsupportedProject, text));
}
