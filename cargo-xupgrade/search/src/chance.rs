//! Chances in integers: how large a group to try, where to cut one that failed, how much is left to learn.
//! Pure arithmetic on priors. Fixed point, as `no_std` has no logarithms and floats differ between machines.

use alloc::vec::Vec;

use crate::Permille;

/// The certain event, in the fixed point of this file (32 bits behind the point).
const ONE: u64 = 1 << 32;

/// A chance of two chances.
fn times(one: u64, other: u64) -> u64 {
    u64::try_from((u128::from(one) * u128::from(other)) >> 32).unwrap_or(ONE)
}

/// How many beliefs there are about the priors.
const BELIEFS: usize = 8;

/// What is believed about the priors before anything was tried, for the beliefs in the order of [`survival`].
/// Tuned on simulated worlds (scripts/bench-search), half of it on the priors being right.
const START: [u64; BELIEFS] = [4, 2, 2, 2, 12, 2, 2, 1];

/// The chance to pass, by each belief: that of the prior to the power of 1/32, 1/8, 1/4, 1/2, 1, 2, 4, 8.
fn survival(prior: Permille) -> [u64; BELIEFS] {
    let root = |chance: u64| u64::try_from((u128::from(chance) << 32).isqrt()).unwrap_or(ONE);
    let square = |chance: u64| times(chance, chance);
    let one = u64::from(1000 - prior.clamp(1, 999)) * ONE / 1000;
    let (half, two) = (root(one), square(one));
    let (quarter, four) = (root(half), square(two));
    let (eighth, eight) = (root(quarter), square(four));
    [root(root(eighth)), eighth, quarter, half, one, two, four, eight]
}

/// How well the priors did so far, as weights of beliefs about them: a project may break more often, or less
/// often, than they say.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Track {
    weights: [u64; BELIEFS],
}

impl Default for Track {
    fn default() -> Self {
        let mut track = Self { weights: START.map(|weight| weight << 16) };
        track.normalise();
        track
    }
}

impl Track {
    /// A pick with this prior passed.
    pub(crate) fn passed(&mut self, prior: Permille) {
        for (weight, chance) in self.weights.iter_mut().zip(survival(prior)) {
            *weight = times(*weight, chance);
        }
        self.normalise();
    }

    /// A pick with this prior failed.
    pub(crate) fn failed(&mut self, prior: Permille) {
        for (weight, chance) in self.weights.iter_mut().zip(survival(prior)) {
            *weight = times(*weight, ONE - chance);
        }
        self.normalise();
    }

    /// The weights are a whole again; none dies, as the next picks may be of another kind.
    fn normalise(&mut self) {
        let sum: u64 = self.weights.iter().sum::<u64>().max(1);
        for weight in &mut self.weights {
            let share = (u128::from(*weight) << 32) / u128::from(sum);
            *weight = u64::try_from(share).unwrap_or(ONE).max(1 << 8);
        }
    }

    /// The chance of what has these chances by each belief.
    fn mix(&self, chances: &[u64; BELIEFS]) -> u64 {
        self.weights.iter().zip(chances).map(|(&weight, &chance)| times(weight, chance)).sum::<u64>().min(ONE)
    }

    /// The chance that a pick with this prior fails.
    pub(crate) fn corrected(&self, prior: Permille) -> Permille {
        let risk = ((ONE - self.mix(&survival(prior))) * 1000) >> 32;
        Permille::try_from(risk.clamp(1, 999)).unwrap_or(999)
    }

    /// The chance of each prefix to pass, the empty one first.
    fn clear(&self, priors: &[Permille]) -> Vec<u64> {
        let mut chances = [ONE; BELIEFS];
        let mut clear = Vec::with_capacity(priors.len() + 1);
        clear.push(ONE);
        for &prior in priors {
            chances = both(&chances, &survival(prior));
            clear.push(self.mix(&chances));
        }
        clear
    }
}

fn both(one: &[u64; BELIEFS], other: &[u64; BELIEFS]) -> [u64; BELIEFS] {
    core::array::from_fn(|belief| times(one[belief], other[belief]))
}

/// A risk above which a pick is best tried alone: (3 - sqrt 5) / 2, proved by Ungar in 1960.
pub(crate) const ALONE: Permille = 382;

/// A group that grows, the lowest risks first, until its chance to pass is nearest one half: then a trial of it
/// teaches most.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Group {
    chances: [u64; BELIEFS],
    distance: u64,
}

impl Default for Group {
    fn default() -> Self {
        Self { chances: [ONE; BELIEFS], distance: u64::MAX }
    }
}

impl Group {
    /// Whether one more is good for it.
    pub(crate) fn takes(&mut self, prior: Permille, track: &Track) -> bool {
        let chances = both(&self.chances, &survival(prior));
        let distance = track.mix(&chances).abs_diff(ONE / 2);
        let takes = distance <= self.distance;
        if takes {
            *self = Self { chances, distance };
        }
        takes
    }
}

/// Whether all of `priors` at once is worth a trial: it is when they pass more often than once in as many
/// trials as it takes to pass group by group, each pass brightening the risks of the next.
pub(crate) fn all_at_once(priors: &[Permille], track: Track) -> bool {
    const MOST: u64 = 64;
    let (mut chances, mut all) = ([ONE; BELIEFS], ONE);
    for &prior in priors {
        chances = both(&chances, &survival(prior));
        all = track.mix(&chances);
        if all * MOST < ONE {
            return false;
        }
    }
    let (mut track, mut groups, mut rest) = (track, 0, priors);
    while !rest.is_empty() && all.saturating_mul(groups) <= ONE && groups < MOST {
        let length = group(rest, &track);
        rest[..length].iter().for_each(|&prior| track.passed(prior));
        rest = &rest[length..];
        groups += 1;
    }
    all.saturating_mul(groups) > ONE
}

/// The length of the group that is drawn from the front of `priors`; what likely fails is in no group.
fn group(priors: &[Permille], track: &Track) -> usize {
    let mut group = Group::default();
    let takes = |prior: &&Permille| track.corrected(**prior) <= ALONE && group.takes(**prior, track);
    priors.iter().take_while(takes).count().max(1)
}

/// Where to cut a group that is known to fail: the prefix L for which P(L passes | the group fails) is
/// nearest one half. That chance is (P(L) - P(group)) / (1 - P(group)), so P(L) should be nearest
/// (1 + P(group)) / 2. At least 1, and less than the length of a group of two or more.
pub(crate) fn cut(priors: &[Permille], track: &Track) -> usize {
    widest(priors, &[], Whole::Fails, track).map_or(1, |(_, cut)| cut)
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
/// likely lies, with that chance in 1/1000, and where to cut it. `None` when no gap holds two.
pub(crate) fn widest(priors: &[Permille], cuts: &[usize], whole: Whole, track: &Track) -> Option<(u64, usize)> {
    let clear = track.clear(priors);
    let surely = match whole {
        Whole::Fails => ONE - clear[priors.len()],
        Whole::Open => ONE,
    };
    let ends = cuts.iter().copied().filter(|&cut| cut < priors.len()).chain([priors.len()]);
    let mut best: Option<(u64, usize)> = None;
    let mut start = 0;
    for end in ends {
        if end > start + 1 {
            let weight = clear[start].saturating_sub(clear[end]) * 1000 / surely.max(1);
            let target = u64::midpoint(clear[start], clear[end]);
            // Of two that are as near, the longer one.
            let nearest = (start + 1..end).rev().min_by_key(|&place| clear[place].abs_diff(target));
            if best.is_none_or(|(most, _)| weight > most) {
                best = Some((weight, nearest.unwrap_or(start + 1)));
            }
        }
        start = start.max(end);
    }
    best
}

/// The chance, in 1/1000, that all of a window passes, or, where it is known to fail, all but its last.
pub(crate) fn all_but_last(priors: &[Permille], whole: Whole, track: &Track) -> u64 {
    let clear = track.clear(priors);
    let all = clear[priors.len()];
    match whole {
        Whole::Open => all * 1000 / ONE,
        Whole::Fails => clear[priors.len().saturating_sub(1)].saturating_sub(all) * 1000 / (ONE - all).max(1),
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

    /// A track on which the priors are believed.
    fn believed() -> Track {
        let mut track = Track { weights: [0, 0, 0, 0, ONE, 0, 0, 0] };
        track.normalise();
        track
    }

    fn group(priors: &[Permille]) -> usize {
        super::group(priors, &believed())
    }

    fn cut(priors: &[Permille]) -> usize {
        super::cut(priors, &believed())
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
        for length in 2..100 {
            for risk in [0, 1, 30, 500, 999, 5000] {
                let place = cut(&vec![risk; length]);
                assert!((1..length).contains(&place), "{length} x {risk} cut at {place}");
            }
        }
    }

    #[test]
    fn further_cuts_go_where_the_failure_likely_lies() {
        let track = believed();
        assert_eq!(widest(&[1; 64], &[32], Whole::Fails, &track).map(|found| found.1 % 32 / 15), Some(1));
        assert_eq!(widest(&[10, 10, 10, 300, 300, 300], &[3], Whole::Fails, &track).map(|found| found.1), Some(4));
        assert_eq!(widest(&[10, 10], &[1], Whole::Fails, &track), None, "no gap is left");
    }

    #[test]
    fn ten_thousand_risks_do_not_wear_the_fixed_point_out() {
        let risks = vec![64; 10_000];
        assert_eq!(group(&risks), 10);
        assert!((9..=11).contains(&cut(&risks)), "a sum that surely fails is cut where a new group would be");
    }

    #[test]
    fn all_goes_at_once_where_that_likely_passes() {
        assert!(all_at_once(&[1, 1, 1, 1, 390], believed()), "0.6 is more than one in two");
        assert!(!all_at_once(&[1, 1, 1, 1, 600], believed()));
        assert!(!all_at_once(&[100; 50], believed()));
    }

    #[test]
    fn priors_follow_what_was_seen() {
        let mut track = Track::default();
        let at_first = track.corrected(40);
        assert!((30..=60).contains(&at_first), "{at_first}");
        (0..30).for_each(|_| track.passed(100));
        assert!(track.corrected(40) < 10, "three failures expected, none came: {}", track.corrected(40));
        let mut track = Track::default();
        (0..20).for_each(|_| track.failed(100));
        assert!(track.corrected(40) > 200, "two expected, twenty came: {}", track.corrected(40));
        (0..60_000).for_each(|_| track.passed(999));
        assert!(track.corrected(40) < 5, "and back again");
    }

    #[test]
    fn the_unknown_is_the_entropy() {
        assert_eq!(unknown(500), 1000);
        for (risk, bits) in [(10, 80), (40, 242), (300, 881), (999, 11)] {
            assert!(unknown(risk).abs_diff(bits) <= 2, "{risk}: {}", unknown(risk));
        }
    }
}
