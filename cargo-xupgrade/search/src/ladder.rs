//! Which rung of a ladder comes first and which one follows a failure. Pure functions over one atom.

use crate::{AtomSpec, Break};

/// The highest rung of the kind that lies above `floor` (`None`: above the ground).
pub(crate) fn top(atom: &AtomSpec, kind: Break, floor: Option<usize>) -> Option<usize> {
    let lowest = floor.map_or(0, |rung| rung + 1);
    (lowest..atom.rungs.len()).rev().find(|&rung| atom.rungs[rung].breaking == kind)
}

/// The next lower rung of the same kind as `rung` that lies above `floor`.
pub(crate) fn lower(atom: &AtomSpec, rung: usize, floor: Option<usize>) -> Option<usize> {
    let kind = atom.rungs[rung].breaking;
    let lowest = floor.map_or(0, |rung| rung + 1);
    (lowest..rung).rev().find(|&lower| atom.rungs[lower].breaking == kind)
}

/// The rung that an atom is tried at before any other.
pub(crate) fn first(atom: &AtomSpec) -> Option<usize> {
    top(atom, Break::Compatible, None).or_else(|| top(atom, Break::Breaking, None))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Depth, RungSpec};
    use Break::{Breaking, Compatible};

    fn atom(kinds: &[Break]) -> AtomSpec {
        AtomSpec {
            rungs: kinds.iter().map(|&breaking| RungSpec { risk: 10, breaking, depth: Depth::Rung }).collect(),
            kin: 0,
        }
    }

    #[test]
    fn the_highest_compatible_rung_comes_first() {
        let ladder = atom(&[Compatible, Compatible, Breaking, Breaking]);
        assert_eq!(first(&ladder), Some(1));
        assert_eq!(lower(&ladder, 1, None), Some(0));
        assert_eq!(lower(&ladder, 0, None), None);
    }

    #[test]
    fn breaking_rungs_go_down_to_what_is_accepted_and_no_further() {
        let ladder = atom(&[Compatible, Breaking, Breaking]);
        assert_eq!(top(&ladder, Breaking, Some(0)), Some(2));
        assert_eq!(lower(&ladder, 2, Some(0)), Some(1));
        assert_eq!(lower(&ladder, 1, Some(0)), None);
    }

    #[test]
    fn an_atom_with_only_breaking_rungs_starts_at_its_highest() {
        assert_eq!(first(&atom(&[Breaking, Breaking])), Some(1));
        assert_eq!(first(&atom(&[])), None);
    }

    #[test]
    fn a_breaking_rung_below_what_is_accepted_is_never_tried() {
        assert_eq!(top(&atom(&[Breaking, Compatible]), Breaking, Some(1)), None);
    }
}
