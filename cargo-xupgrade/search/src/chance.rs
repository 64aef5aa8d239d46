//! Chances in integers: how large a group to try, where to cut one that failed, how much is left to learn.
//! Pure arithmetic on priors. Fixed point, as `no_std` has no logarithms and floats differ between machines.

use alloc::vec::Vec;

use crate::Permille;

/// The certain event, in the fixed point of this file (32 bits behind the point).
const ONE: u64 = 1 << 32;

/// The chance that all of `risks` stay away.
fn pass(risks: &[Permille]) -> u64 {
    risks.iter().fold(ONE, |chance, &risk| and(chance, risk))
}

/// `chance` and the pass of one more risk.
fn and(chance: u64, risk: Permille) -> u64 {
    chance * u64::from(1000 - risk.clamp(1, 999)) / 1000
}

/// The length of the prefix whose chance to pass is nearest `target`; the longer one of two.
fn nearest_prefix(risks: &[Permille], target: u64) -> usize {
    let (mut chance, mut nearest, mut length) = (ONE, u64::MAX, 1);
    for (place, &risk) in risks.iter().enumerate() {
        chance = and(chance, risk);
        let distance = chance.abs_diff(target);
        if distance > nearest {
            break;
        }
        (nearest, length) = (distance, place + 1);
    }
    length
}

/// How well the priors did so far: a project may break more often, or less often, than they say.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Track {
    /// How many picks that are settled were expected to fail, in 1/1000.
    expected: u64,
    /// How many of them did, in 1/1000.
    failed: u64,
}

impl Track {
    /// Picks with these priors are settled, and `failed` of them failed.
    pub(crate) fn learn(&mut self, priors: &[Permille], failed: u64) {
        self.expected += priors.iter().map(|&prior| u64::from(prior.clamp(1, 999))).sum::<u64>();
        self.failed += failed * 1000;
    }

    /// The prior times (failed + 1/2) / (expected + 1/2), a factor that is kept within 0.1 and 8.
    pub(crate) fn corrected(&self, prior: Permille) -> Permille {
        let factor = (1000 * (self.failed + 500) / (self.expected + 500)).clamp(100, 8000);
        let risk = u64::from(prior.clamp(1, 999)) * factor / 1000;
        Permille::try_from(risk.clamp(1, 999)).unwrap_or(999)
    }
}

/// A risk above which a pick is best tried alone: (3 - sqrt 5) / 2, proved by Ungar in 1960.
pub(crate) const ALONE: Permille = 382;

/// Where to cut a group that is known to fail: the prefix L for which P(L passes | the group fails) is
/// nearest one half. That chance is (P(L) - P(group)) / (1 - P(group)), so P(L) should be nearest
/// (1 + P(group)) / 2. At least 1, and less than the length of a group of two or more.
pub(crate) fn cut(risks: &[Permille]) -> usize {
    let target = u64::midpoint(ONE, pass(risks));
    nearest_prefix(&risks[..risks.len().saturating_sub(1)], target)
}

/// What is known of a window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Whole {
    /// The trial of all of it failed.
    Fails,
    /// The trial of all of it is under way.
    Open,
}

/// The gap between trials under way (`cuts`, the lengths of prefixes, rising) in which the first failure most
/// likely lies, with that chance, and where to cut it. `None` when no gap holds two risks.
pub(crate) fn widest(risks: &[Permille], cuts: &[usize], whole: Whole) -> Option<(u64, usize)> {
    let mut clear = Vec::with_capacity(risks.len() + 1);
    clear.push(ONE);
    for &risk in risks {
        clear.push(and(clear[clear.len() - 1], risk));
    }
    let surely = match whole {
        Whole::Fails => ONE - clear[risks.len()],
        Whole::Open => ONE,
    };
    let ends = cuts.iter().copied().filter(|&cut| cut < risks.len()).chain([risks.len()]);
    let mut best: Option<(u64, usize)> = None;
    let mut start = 0;
    for end in ends {
        if end > start + 1 {
            let weight = (clear[start] - clear[end]) * 1000 / surely.max(1);
            let target = u64::midpoint(clear[start], clear[end]);
            let cut = (start + 1..end).min_by_key(|&place| clear[place].abs_diff(target)).unwrap_or(start + 1);
            if best.is_none_or(|(most, _)| weight > most) {
                best = Some((weight, cut));
            }
        }
        start = start.max(end);
    }
    best
}

/// The chance, in 1/1000, that all of a window passes, or, where it is known to fail, all but its last.
pub(crate) fn all_but_last(risks: &[Permille], whole: Whole) -> u64 {
    let all = pass(risks);
    match whole {
        Whole::Open => all * 1000 / ONE,
        Whole::Fails => (pass(&risks[..risks.len().saturating_sub(1)]) - all) * 1000 / (ONE - all).max(1),
    }
}

/// Whether all of `risks` at once is worth a trial: it is when they stay away more often than once in as many
/// trials as it takes to pass group by group, each pass brightening the risks of the next.
pub(crate) fn all_at_once(risks: &[Permille], track: Track) -> bool {
    let (mut track, mut groups, mut rest) = (track, 0, risks);
    let corrected: Vec<Permille> = risks.iter().map(|&risk| track.corrected(risk)).collect();
    let all = pass(&corrected);
    while !rest.is_empty() && groups < 64 {
        let length = group_of(rest, track);
        track.learn(&rest[..length], 0);
        rest = &rest[length..];
        groups += 1;
    }
    all.saturating_mul(groups) > ONE
}

/// The length of the group that is drawn from the front of `priors`.
fn group_of(priors: &[Permille], track: Track) -> usize {
    let mut group = Group::default();
    let takes = |prior: &&Permille| group.takes(track.corrected(**prior));
    priors.iter().take_while(takes).count().max(1)
}

/// A group that grows, the lowest risks first, until its chance to pass is nearest one half: then a trial of it
/// teaches most.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Group {
    chance: u64,
    distance: u64,
}

impl Default for Group {
    fn default() -> Self {
        Self { chance: ONE, distance: u64::MAX }
    }
}

impl Group {
    /// Whether one more is good for it. What likely fails is in no group.
    pub(crate) fn takes(&mut self, risk: Permille) -> bool {
        let chance = and(self.chance, risk);
        let distance = chance.abs_diff(ONE / 2);
        let takes = risk <= ALONE && distance <= self.distance;
        if takes {
            *self = Self { chance, distance };
        }
        takes
    }
}

/// What is unknown about one risk (its Shannon entropy), in 1/1000 bit: about the trials that it costs to
/// find out in a well chosen group.
pub(crate) fn unknown(risk: Permille) -> u64 {
    let bad = u64::from(risk.clamp(1, 999));
    let good = 1000 - bad;
    (bad * surprise(bad) + good * surprise(good)) / 1000
}

/// log2(1000 / `chance`) in 1/1000, for chances of 1..=1000. The digits behind the point come from
/// squaring the mantissa: each time it passes 2, the digit is 1.
fn surprise(chance: u64) -> u64 {
    const POINT: u32 = 31;
    let ratio = (1000 << POINT) / chance;
    let whole = ratio.ilog2() - POINT;
    let mut mantissa = ratio >> whole;
    let mut fraction = 0;
    for _ in 0..10 {
        mantissa = (mantissa * mantissa) >> POINT;
        let digit = mantissa >> (POINT + 1);
        mantissa >>= digit;
        fraction = fraction * 2 + digit;
    }
    u64::from(whole) * 1000 + fraction * 1000 / 1024
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;

    /// The length of the group drawn from these risks, on a clean track; what likely fails is left out.
    fn group(risks: &[Permille]) -> usize {
        group_of(risks, Track::default())
    }

    #[test]
    fn a_group_grows_until_its_chance_is_nearest_one_half() {
        assert_eq!(group(&[100; 20]), 7, "0.9^6 = 0.53, 0.9^7 = 0.48");
        assert_eq!(group(&[10; 20]), 20, "likely to pass as a whole, so all of it goes");
        assert_eq!(group(&[300, 300, 300]), 2, "0.7^2 = 0.49");
    }

    #[test]
    fn a_likely_failure_is_tried_alone() {
        assert_eq!(group(&[380, 380]), 2);
        assert_eq!(group(&[390, 390]), 1);
        assert_eq!(group(&[10, 10, 900]), 2);
        assert_eq!(group(&[1000, 1000]), 1);
    }

    #[test]
    fn equal_risks_are_cut_near_the_middle() {
        assert!((31..=32).contains(&cut(&[1; 64])));
        assert_eq!(cut(&[0, 0]), 1, "no risk at all still has a middle");
    }

    #[test]
    fn one_heavy_risk_is_cut_from_the_light_ones() {
        assert_eq!(cut(&[10, 10, 10, 10, 10, 300]), 5);
        assert_eq!(cut(&[300, 10, 10, 10, 10, 10]), 1);
    }

    #[test]
    fn a_cut_leaves_something_on_both_sides() {
        for length in 2..200 {
            for risk in [0, 1, 30, 500, 999, 5000] {
                let place = cut(&vec![risk; length]);
                assert!((1..length).contains(&place), "{length} x {risk} cut at {place}");
            }
        }
    }

    #[test]
    fn ten_thousand_risks_do_not_wear_the_fixed_point_out() {
        let risks = vec![64; 10_000];
        assert_eq!(group(&risks), 10);
        assert_eq!(cut(&risks), 10, "a sum that surely fails is cut where a new group would be");
    }

    #[test]
    fn priors_follow_what_was_seen_within_limits() {
        let mut track = Track::default();
        assert_eq!(track.corrected(40), 40, "nothing seen, nothing corrected");
        track.learn(&[100; 20], 0);
        assert_eq!(track.corrected(40), 8, "2 expected, none came: a fifth");
        track.learn(&[100; 20], 20);
        assert_eq!(track.corrected(40), 182, "4 expected, 20 came: 20.5 / 4.5");
        track.learn(&[1; 1000], 1000);
        assert_eq!(track.corrected(40), 320, "at most eightfold");
        track.learn(&vec![999; 60_000], 0);
        assert_eq!(track.corrected(40), 4, "at least a tenth");
    }

    #[test]
    fn the_unknown_is_the_entropy() {
        assert_eq!(unknown(500), 1000);
        for (risk, bits) in [(10, 80), (40, 242), (300, 881), (999, 11)] {
            assert!(unknown(risk).abs_diff(bits) <= 2, "{risk}: {}", unknown(risk));
        }
    }
}
