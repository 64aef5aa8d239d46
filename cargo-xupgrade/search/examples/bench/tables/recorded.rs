//! Real runs: what was tried in them, what failed, and how many trials each strategy needs to find that out.

use std::path::Path;

use crate::measure::{heading, row, settle};
use xupgrade_search::sim::{Reveal, Rung, World};
use xupgrade_search::{AtomSpec, Break, Depth, Options, Permille, RungSpec, Strategy};

const STRATEGIES: [Strategy; 3] = [Strategy::Split, Strategy::Halving, Strategy::OneByOne];

/// Every recording beside this program, by name.
pub fn print(_worlds: usize) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/recorded");
    let mut files: Vec<_> =
        std::fs::read_dir(&folder).into_iter().flatten().flatten().map(|file| file.path()).collect();
    files.retain(|path| path.extension().is_some_and(|ending| ending == "txt"));
    files.sort();
    let columns = ["atoms", "moved", "split", "halving", "1 by 1"];
    heading("Recorded real runs: trials, the final verification not counted", &columns.map(str::to_owned));
    for file in files {
        let text = std::fs::read_to_string(&file).unwrap_or_default();
        let name = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        match read(&text) {
            Ok((atoms, world)) => show(&name, &atoms, &world),
            Err(line) => println!("{name}: cannot be read: {line}"),
        }
    }
}

fn show(name: &str, atoms: &[AtomSpec], world: &World) {
    let settled =
        STRATEGIES.map(|strategy| settle(atoms, world.clone(), &Options { strategy, ..Options::default() }, 1));
    let trials = settled.each_ref().map(|settled| settled.took.searching().to_string());
    let moved = settled[0].solution.accepted.len().to_string();
    row(name, &[&[atoms.len().to_string(), moved][..], &trials[..]].concat());
}

/// Lines of a recording (scripts/record-search writes them): `atom NAME KIN`, below it its rungs from the lowest,
/// `rung VERSION RISK compatible|breaking rung|between passed|failed|untried`; then `clash NAME NAME` and
/// `requires NAME NAME`. What was not tried is taken to pass.
fn read(text: &str) -> Result<(Vec<AtomSpec>, World), String> {
    let (mut names, mut atoms, mut truths) = (Vec::new(), Vec::<AtomSpec>::new(), Vec::<Vec<Rung>>::new());
    let (mut conflicts, mut requires) = (Vec::new(), Vec::new());
    for line in text.lines().filter(|line| !line.trim_start().starts_with('#') && !line.trim().is_empty()) {
        let words: Vec<&str> = line.split_whitespace().collect();
        let place = |name: &str| names.iter().position(|known| *known == name).ok_or_else(|| line.to_owned());
        match words[..] {
            ["atom", name, kin] => {
                names.push(name);
                atoms.push(AtomSpec {
                    rungs: Vec::new(),
                    kin: kin.parse().map_err(|_| line.to_owned())?,
                    builds: Vec::new(),
                });
                truths.push(Vec::new());
            }
            ["rung", _, risk, kind, depth, end] => {
                let (Some(atom), Some(truth)) = (atoms.last_mut(), truths.last_mut()) else {
                    return Err(line.to_owned());
                };
                let risk: Permille = risk.parse().map_err(|_| line.to_owned())?;
                let breaking = if kind == "breaking" { Break::Breaking } else { Break::Compatible };
                let depth = if depth == "between" { Depth::Between } else { Depth::Rung };
                atom.rungs.push(RungSpec { risk, breaking, depth });
                truth.push(if end == "failed" { Rung::Bad } else { Rung::Good });
            }
            ["clash", one, other] => conflicts.push((place(one)?, place(other)?)),
            ["requires", one, other] => requires.push((place(one)?, place(other)?)),
            _ => return Err(line.to_owned()),
        }
    }
    let mut world = World::independent(truths);
    (world.conflicts, world.requires, world.reveal) = (conflicts, requires, Reveal::Nothing);
    Ok((atoms, world))
}
