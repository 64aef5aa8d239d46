//! Draws worlds: the mix of upgrades that the research measured, breakers by their odds, pairs, ladders, releases.

use alloc::{vec, vec::Vec};

use super::{Dice, FlakyTest, Known, Rung, World};
use crate::{AtomSpec, Break, Depth, Permille, RungSpec};

/// A patch, a minor and a major step: how likely each breaks something.
pub const PATCH: Permille = 10;
/// See [`PATCH`].
pub const MINOR: Permille = 40;
/// See [`PATCH`].
pub const MAJOR: Permille = 300;

/// Who is drawn as a breaker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Odds {
    /// Each by the odds of its prior, p / (1 - p).
    Prior,
    /// Everybody as often as anybody else.
    Even,
}

/// The risks of `n` upgrades: half of them patches, 35 % minors, 15 % majors.
#[must_use]
pub fn risks(n: usize, dice: &mut Dice) -> Vec<Permille> {
    let mut risk = || match dice.roll(100) {
        0..50 => PATCH,
        50..85 => MINOR,
        _ => MAJOR,
    };
    (0..n).map(|_| risk()).collect()
}

/// Exactly `k` places out of the list (all of it, where it is shorter).
#[must_use]
pub fn exactly(k: usize, risks: &[Permille], odds: Odds, dice: &mut Dice) -> Vec<usize> {
    let mut drawn = Vec::new();
    while drawn.len() < k.min(risks.len()) {
        let place = dice.place(risks.len());
        let risk = u64::from(risks[place].min(500));
        let taken = odds == Odds::Even || dice.roll(1000) < 1000 * risk / (1000 - risk);
        if taken && !drawn.contains(&place) {
            drawn.push(place);
        }
    }
    drawn
}

/// Each place with its own chance.
#[must_use]
pub fn naturally(risks: &[Permille], dice: &mut Dice) -> Vec<usize> {
    (0..risks.len()).filter(|&place| dice.happens(risks[place])).collect()
}

/// Atoms of one rung each, with these priors times `belief` in 1/1000 (1000: what is true is believed).
#[must_use]
pub fn atoms(risks: &[Permille], belief: u32) -> Vec<AtomSpec> {
    let believed = |risk: Permille| Permille::try_from(u32::from(risk) * belief / 1000).unwrap_or(999).clamp(1, 999);
    risks
        .iter()
        .map(|&risk| AtomSpec { rungs: vec![rung(believed(risk), Break::Compatible)], kin: 0, builds: Vec::new() })
        .collect()
}

fn rung(risk: Permille, breaking: Break) -> RungSpec {
    RungSpec { risk, breaking, depth: Depth::Rung }
}

/// A world of `n` atoms of one rung, in which the ones at `bad` are as `kind` says.
#[must_use]
pub fn world(n: usize, bad: &[usize], kind: Rung) -> World {
    let truth = |atom| vec![if bad.contains(&atom) { kind } else { Rung::Good }];
    World::independent((0..n).map(truth).collect())
}

/// `count` pairs of places that are in no other pair and not in `taken`, which grows by them.
#[must_use]
pub fn pairs(count: usize, n: usize, taken: &mut Vec<usize>, dice: &mut Dice) -> Vec<(usize, usize)> {
    let mut one = || {
        let free: Vec<usize> = (0..n).filter(|place| !taken.contains(place)).collect();
        let place = *free.get(dice.place(free.len()))?;
        taken.push(place);
        Some(place)
    };
    (0..count).map_while(|_| Some((one()?, one()?))).collect()
}

/// Four tests that together fail in `rate` of 1000 runs, half of them known to be flaky (or none).
#[must_use]
pub fn flaky(rate: Permille, known: Known) -> Vec<FlakyTest> {
    let each = rate.div_ceil(4);
    let test = |place| FlakyTest { rate: each, known: if place % 2 == 0 { known } else { Known::No } };
    (0..4).map(test).collect()
}

/// Ladders of a patch (60 %), a minor (50 %) and a major (30 %) rung with `scale` times the usual risk in 1/1000; a
/// rung above a bad one is bad in 85 %. Where none is drawn there is a patch.
#[must_use]
pub fn ladders(n: usize, scale: u32, dice: &mut Dice) -> (Vec<AtomSpec>, World) {
    let (mut atoms, mut truths) = (Vec::new(), Vec::new());
    let steps = [(600, PATCH, Break::Compatible), (500, MINOR, Break::Compatible), (300, MAJOR, Break::Breaking)];
    for _ in 0..n {
        let (mut rungs, mut truth) = (Vec::new(), Vec::new());
        let mut drawn = steps.map(|step| dice.happens(step.0));
        drawn[0] |= drawn == [false; 3];
        for (&(_, risk, breaking), _) in steps.iter().zip(drawn).filter(|step| step.1) {
            let risk = Permille::try_from(u32::from(risk) * scale / 1000).unwrap_or(999).min(999);
            let below = truth.contains(&Rung::Bad) && dice.happens(850);
            truth.push(if below || dice.happens(risk) { Rung::Bad } else { Rung::Good });
            rungs.push(rung(risk, breaking));
        }
        atoms.push(AtomSpec { rungs, kin: 0, builds: Vec::new() });
        truths.push(truth);
    }
    (atoms, World::independent(truths))
}

/// Ladders of `releases` releases below one rung, the newest. In `broken` of 1000 ladders the rung fails, and
/// with it the releases from some place on; `mended` of 1000 of those pass again, so that failures are not monotone.
#[must_use]
pub fn releases(
    n: usize,
    releases: usize,
    broken: Permille,
    mended: Permille,
    dice: &mut Dice,
) -> (Vec<AtomSpec>, World) {
    let (mut atoms, mut truths) = (Vec::new(), Vec::new());
    for _ in 0..n {
        let from = if dice.happens(broken) { dice.place(releases + 1) } else { releases + 1 };
        let passes = |place: usize, dice: &mut Dice| place < from || (place < releases && dice.happens(mended));
        let kind = |passes| if passes { Rung::Good } else { Rung::Bad };
        truths.push((0..=releases).map(|place| kind(passes(place, dice))).collect());
        let between = RungSpec { risk: MINOR, breaking: Break::Compatible, depth: Depth::Between };
        let mut rungs = vec![between; releases];
        rungs.push(rung(MINOR, Break::Compatible));
        atoms.push(AtomSpec { rungs, kin: 0, builds: Vec::new() });
    }
    (atoms, World::independent(truths))
}
