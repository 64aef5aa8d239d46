//! Chances in integers: how large a group to try, where to cut one that failed, how much is left to learn.
//! Pure arithmetic on priors. Fixed point, as `no_std` has no logarithms and floats differ between machines.

use alloc::vec::Vec;

use crate::Permille;
use crate::bill::Bill;

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

/// What may be tried: how likely it fails, and what it makes be built anew.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Stake<'a> {
    pub(crate) odds: Odds,
    pub(crate) builds: &'a [usize],
}

/// How likely something fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Odds {
    /// As guessed before anything was tried: to be believed as far as such guesses were right.
    Prior(Permille),
    /// As what failed with it tells.
    Known(Permille),
}

impl Odds {
    /// The plain number.
    pub(crate) fn prior(self) -> Permille {
        let (Self::Prior(risk) | Self::Known(risk)) = self;
        risk
    }

    /// The chance to pass, by each belief.
    fn survival(self) -> [u64; BELIEFS] {
        match self {
            Self::Prior(prior) => survival(prior),
            Self::Known(risk) => [u64::from(1000 - risk.clamp(1, 999)) * ONE / 1000; BELIEFS],
        }
    }
}

/// How many of these are drawn as a group, the first ones: those whose trial teaches most for its cost. Where all trials
/// cost the same, that is the one whose chance to pass is nearest one half. At least 1.
pub(crate) fn group<'a>(stakes: impl Iterator<Item = Stake<'a>>, floor: u32, track: &Track) -> usize {
    let (mut chances, mut bill) = ([ONE; BELIEFS], Bill::new(floor));
    most_telling(stakes.map(|stake| {
        chances = both(&chances, &stake.odds.survival());
        (track.mix(&chances), bill.with(stake.builds))
    }))
}

/// Which of these trials teaches most for its cost, counted from 1; at least 1. They come with their chance to pass, which
/// falls, and their cost, which does not. Of two that are as good, the later one.
fn most_telling(trials: impl Iterator<Item = (u64, u64)>) -> usize {
    let (mut best, mut length) = (0, 1);
    for (place, (pass, cost)) in trials.enumerate() {
        let worth = (entropy(pass) << DIGITS) / cost;
        if worth >= best {
            (best, length) = (worth, place + 1);
        } else if pass < ONE / 2 {
            break;
        }
    }
    length
}

/// Whether all of these at once are worth a trial: they are when that passes more often than what it costs is of what
/// it takes to pass group by group, each pass brightening the risks of the next.
pub(crate) fn all_at_once(stakes: &[Stake<'_>], floor: u32, track: Track) -> bool {
    const MOST: u64 = 64;
    let (mut chances, mut all, mut bill) = ([ONE; BELIEFS], ONE, Bill::new(floor));
    let mut cost = 1;
    for stake in stakes {
        chances = both(&chances, &stake.odds.survival());
        all = track.mix(&chances);
        cost = bill.with(stake.builds);
        if all * MOST < ONE {
            return false;
        }
    }
    let (mut track, mut spent, mut rest) = (track, 0, stakes);
    let pays = |spent: u64| all.saturating_mul(spent) > cost.saturating_mul(ONE);
    while !rest.is_empty() && !pays(spent) && spent < MOST * cost {
        let takes = |stake: &&Stake<'_>| track.corrected(stake.odds.prior()) <= ALONE;
        let length = group(rest.iter().take_while(takes).copied(), floor, &track);
        let mut bill = Bill::new(floor);
        spent += rest[..length].iter().map(|stake| bill.with(stake.builds)).last().unwrap_or(1);
        rest[..length].iter().for_each(|stake| track.passed(stake.odds.prior()));
        rest = &rest[length..];
    }
    pays(spent)
}

/// Where to cut a group that is known to fail: after the prefix L whose trial teaches most for its cost. The chance that L
/// passes then is (P(L) - P(group)) / (1 - P(group)); of several views of the group (none is empty, all are as long) the
/// darkest counts. At least 1, and less than the length of a group of two or more.
pub(crate) fn cut(views: &[Vec<Stake<'_>>], floor: u32, track: &Track) -> usize {
    let passes = |view: &Vec<Stake<'_>>| {
        let priors: Vec<Permille> = view.iter().map(|stake| stake.odds.prior()).collect();
        let clear = track.clear(&priors);
        let all = clear[view.len()];
        clear[1..].iter().map(|&part| ratio(part.saturating_sub(all), ONE - all)).collect::<Vec<_>>()
    };
    let passes: Vec<Vec<u64>> = views.iter().map(passes).collect();
    let darkest = |place: usize| passes.iter().map(|view| view[place]).min().unwrap_or(ONE);
    let mut bill = Bill::new(floor);
    let stakes = views.first().map_or(&[][..], |view| view);
    let parts = stakes.iter().take(stakes.len().saturating_sub(1)).enumerate();
    most_telling(parts.map(|(place, stake)| (darkest(place), bill.with(stake.builds))))
}

/// A chance out of another one.
fn ratio(part: u64, whole: u64) -> u64 {
    u64::try_from((u128::from(part) << 32) / u128::from(whole.max(1))).unwrap_or(ONE).min(ONE)
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

/// What is unknown about one risk (its entropy), in 1/1000 bit: about the trials that it costs to find out in a well
/// chosen group.
pub(crate) fn unknown(risk: Permille) -> u64 {
    (entropy(u64::from(risk.clamp(1, 999)) * ONE / 1000) * 1000) >> DIGITS
}

/// So many digits stand behind the point of what is counted in bits.
const DIGITS: u32 = 24;

/// What is unknown about something of this chance: its Shannon entropy, in bits.
fn entropy(chance: u64) -> u64 {
    let chance = chance.clamp(1, ONE - 1);
    times(chance, surprise(chance)) + times(ONE - chance, surprise(ONE - chance))
}

/// log2(1 / `chance`) in bits, for chances of 1..=[`ONE`]. The digits behind the point come from squaring the mantissa:
/// each time it passes 2, the digit is 1.
fn surprise(chance: u64) -> u64 {
    const POINT: u32 = 31;
    let whole = chance.ilog2();
    let mut mantissa = (chance << POINT) >> whole;
    let mut log = u64::from(whole);
    for _ in 0..DIGITS {
        mantissa = (mantissa * mantissa) >> POINT;
        let digit = mantissa >> (POINT + 1);
        mantissa >>= digit;
        log = log * 2 + digit;
    }
    (32 << DIGITS) - log
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

    /// What builds nothing that is known.
    fn stakes(priors: &[Permille]) -> Vec<Stake<'static>> {
        priors.iter().map(|&prior| Stake { odds: Odds::Prior(prior), builds: &[] }).collect()
    }

    fn group(priors: &[Permille]) -> usize {
        let group = |stake: &Stake<'_>| stake.odds.prior() <= ALONE;
        super::group(stakes(priors).into_iter().take_while(group), 0, &believed())
    }

    fn cut(priors: &[Permille]) -> usize {
        super::cut(&[stakes(priors)], 0, &believed())
    }

    fn all_at_once(priors: &[Permille]) -> bool {
        super::all_at_once(&stakes(priors), 0, believed())
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

    /// The same risk for each, and the things that each builds.
    fn dear<'a>(prior: Permille, builds: &'a [&'a [usize]]) -> Vec<Stake<'a>> {
        builds.iter().map(|builds| Stake { odds: Odds::Prior(prior), builds }).collect()
    }

    #[test]
    fn a_group_grows_further_where_one_more_builds_nothing_more() {
        let own: Vec<[usize; 1]> = (0..20).map(|thing| [thing]).collect();
        let own: Vec<&[usize]> = own.iter().map(|one| &one[..]).collect();
        let group = |builds: &[&[usize]], floor| super::group(dear(100, builds).into_iter(), floor, &believed());
        let same: Vec<&[usize]> = vec![&[0]; 20];
        assert_eq!(group(&same, 0), 7, "all of them build the same: as if nothing were known");
        assert_eq!(group(&own, 0), 1, "ten cost ten times as much as one, and tell less than ten");
        assert!((3..7).contains(&group(&own, 10)), "the floor is paid once: {}", group(&own, 10));
        assert_eq!(group(&own, 1000), 7, "what they build is nothing beside it");
    }

    #[test]
    fn a_cut_leaves_out_what_builds_much_more() {
        let cut = |builds: &[&[usize]]| super::cut(&[dear(100, builds)], 0, &believed());
        assert_eq!(cut(&[&[0]; 8].map(|one: &[usize; 1]| &one[..])), 3);
        assert_eq!(cut(&[&[0], &[0], &[1], &[1], &[1], &[1], &[1], &[1]]), 2);
    }

    #[test]
    fn of_several_views_of_a_failure_the_darkest_says_where_to_cut() {
        let view = |suspects: core::ops::Range<usize>| -> Vec<Stake<'_>> {
            let risk = |place| if suspects.contains(&place) { 100 } else { 1 };
            stakes(&(0..16).map(risk).collect::<Vec<Permille>>())
        };
        let cut = |views: &[Vec<Stake<'_>>]| super::cut(views, 0, &believed());
        assert_eq!(cut(&[view(0..4)]), 2);
        assert_eq!(cut(&[view(8..16)]), 11, "(.9^3 - .9^8) / (1 - .9^8) = .52");
        assert_eq!(cut(&[view(8..16), view(0..4)]), 2, "one of the first four fails, too");
    }

    #[test]
    fn all_at_once_pays_where_each_group_would_pay_the_floor_again() {
        let own: Vec<[usize; 1]> = (0..12).map(|thing| [thing]).collect();
        let own: Vec<&[usize]> = own.iter().map(|one| &one[..]).collect();
        let all_at_once = |floor| super::all_at_once(&dear(20, &own), floor, believed());
        assert!(!all_at_once(0), "it costs as much as one by one, and fails in 2 of 10");
        assert!(all_at_once(3));
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
        assert!(all_at_once(&[1, 1, 1, 1, 390]), "0.6 is more than one in two");
        assert!(!all_at_once(&[1, 1, 1, 1, 600]));
        assert!(!all_at_once(&[100; 50]));
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
