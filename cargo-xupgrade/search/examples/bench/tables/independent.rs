//! Independent breakers: exactly k of them, as many as the priors say, priors that are wrong.

use crate::measure::{Settled, Took, aim, heading, mean, numbers, row, settle};
use crate::peers::{self, Oracle, Peer};
use crate::published;
use xupgrade_search::sim::{Dice, Rung, draw};
use xupgrade_search::{Options, Permille};

/// A world of the kind: the risks that are true and who is bad.
type Drawn = (Vec<Permille>, Vec<usize>);

/// So many worlds, drawn alike for everybody who is measured in them.
fn drawn(worlds: usize, draw: impl Fn(&mut Dice) -> Drawn) -> Vec<Drawn> {
    let mut dice = Dice(42);
    (0..worlds).map(|_| draw(&mut dice)).collect()
}

fn with_exactly(worlds: usize, n: usize, k: usize, odds: draw::Odds) -> Vec<Drawn> {
    drawn(worlds, |dice| {
        let risks = draw::risks(n, dice);
        let bad = draw::exactly(k, &risks, odds, dice);
        (risks, bad)
    })
}

fn with_natural(worlds: usize, n: usize) -> Vec<Drawn> {
    drawn(worlds, |dice| {
        let risks = draw::risks(n, dice);
        let bad = draw::naturally(&risks, dice);
        (risks, bad)
    })
}

/// The search in one world, its priors off by `belief` in 1/1000.
fn search((risks, bad): &Drawn, belief: u32) -> Settled {
    let world = draw::world(risks.len(), bad, Rung::Bad);
    let settled = settle(&draw::atoms(risks, belief), world, &Options::default(), 1);
    assert!(settled.is_clean() && settled.wrongly_held() == 0, "in a world without noise the answer is the truth");
    settled
}

/// Trials of the search, and those after it.
fn split(worlds: &[Drawn], belief: u32) -> (f64, f64) {
    let took: Vec<_> = worlds.iter().map(|world| search(world, belief).took).collect();
    (mean(took.iter().map(Took::searching)), mean(took.iter().map(Took::afterwards)))
}

fn peer(worlds: &[Drawn], peer: Peer) -> f64 {
    mean(worlds.iter().map(|(risks, bad)| {
        let passes = |set: &[usize]| set.iter().all(|one| !bad.contains(one));
        let mut oracle = Oracle::new(&passes);
        let risks: Vec<f64> = risks.iter().map(|&risk| f64::from(risk) / 1000.0).collect();
        let kept = peer(&mut oracle, &risks);
        assert_eq!(kept.len() + bad.len(), risks.len(), "a peer finds the truth in a world without clashes");
        oracle.asked
    }))
}

const PEERS: [(&str, Peer); 5] = [
    ("one by one (bots)", peers::one_by_one),
    ("ncu doctor", peers::doctor),
    ("halving", peers::halving),
    ("halving + inference (bors)", peers::halving_with_inference),
    ("the research's split, run here", peers::research),
];

/// log2 of the ways to choose k out of n.
fn log2_choose(n: usize, k: usize) -> f64 {
    (0..k).map(|i| crate::measure::share(n - i, i + 1).log2()).sum()
}

/// What is unknown about independent risks: the sum of their entropies, in bits.
fn entropy(risks: &[Permille]) -> f64 {
    let bits = |risk: &Permille| {
        let p = f64::from(*risk) / 1000.0;
        -p * p.log2() - (1.0 - p) * (1.0 - p).log2()
    };
    risks.iter().map(bits).sum()
}

fn percent(here: f64, there: f64) -> f64 {
    (here / there - 1.0) * 100.0
}

/// Table 1: exactly k breakers, drawn by their odds.
pub fn exact(worlds: usize) {
    let mut missed = Vec::new();
    for (n, published) in published::SIZES.into_iter().zip(published::SPLIT) {
        let names: Vec<String> = published::BREAKERS.iter().map(|k| format!("k={k}")).collect();
        heading(
            &format!("Table 1: N={n}, exactly k breakers drawn by their odds: mean trials of {worlds} worlds"),
            &names,
        );
        let drawn: Vec<Vec<Drawn>> =
            published::BREAKERS.iter().map(|&k| with_exactly(worlds, n, k, draw::Odds::Prior)).collect();
        numbers("log2 C(N,k)", &published::BREAKERS.map(|k| log2_choose(n, k)));
        for (name, how) in PEERS {
            numbers(name, &drawn.iter().map(|worlds| peer(worlds, how)).collect::<Vec<_>>());
        }
        let (here, after): (Vec<f64>, Vec<f64>) = drawn.iter().map(|worlds| split(worlds, 1000)).unzip();
        numbers("the research's split, as published", &published);
        numbers("split", &here);
        numbers("  what was rejected once more", &after);
        let off: Vec<f64> = here.iter().zip(published).map(|(here, there)| percent(*here, there)).collect();
        row("  to the published row", &off.iter().map(|off| format!("{off:+.1} %")).collect::<Vec<_>>());
        for (k, off) in published::BREAKERS.iter().zip(&off).filter(|cell| *cell.1 > 3.0) {
            missed.push(format!("N={n},k={k} {off:+.1} %"));
        }
    }
    aim(&format!("every cell within 3 % of the published row or better {}", missed.join("; ")), missed.is_empty());
}

fn sizes() -> Vec<String> {
    published::SIZES.iter().map(|n| format!("N={n}")).collect()
}

/// How much more worlds are needed where the number of breakers varies, too.
const VARIED: usize = 5;

/// As many breakers as the priors say.
pub fn natural(worlds: usize) {
    let worlds = worlds * VARIED;
    heading(&format!("Breakers drawn from the priors: mean trials of {worlds} worlds"), &sizes());
    let drawn = published::SIZES.map(|n| with_natural(worlds, n));
    let bound =
        drawn.each_ref().map(|worlds| worlds.iter().map(|world| entropy(&world.0)).sum::<f64>() / share(worlds));
    numbers("Shannon bound, sum H(p)", &bound);
    for (name, how) in PEERS {
        numbers(name, &drawn.each_ref().map(|worlds| peer(worlds, how)));
    }
    numbers("the research's split, as published", &published::NATURAL);
    let here = drawn.each_ref().map(|worlds| split(worlds, 1000).0);
    numbers("split", &here);
    let ratio: Vec<f64> = here.iter().zip(bound).map(|(here, bound)| here / bound).collect();
    row("  to the bound", &ratio.iter().map(|ratio| format!("x{ratio:.3}")).collect::<Vec<_>>());
    aim("at most 1.06 times the bound for N from 50", ratio[1..].iter().all(|&ratio| ratio <= 1.06));
}

fn share(worlds: &[Drawn]) -> f64 {
    crate::measure::share(worlds.len(), 1)
}

/// Priors that are all wrong by one factor.
pub fn wrong(worlds: usize) {
    let worlds = worlds * VARIED;
    heading(&format!("Priors believed are off: mean trials of {worlds} worlds"), &sizes());
    let drawn = published::SIZES.map(|n| with_natural(worlds, n));
    let right = drawn.each_ref().map(|worlds| split(worlds, 1000).0);
    numbers("right", &right);
    for (name, belief) in [("x0.2", 200), ("x5", 5000)] {
        let here = drawn.each_ref().map(|worlds| split(worlds, belief).0);
        numbers(name, &here);
        let off: Vec<f64> = here.iter().zip(right).map(|(here, right)| percent(*here, right)).collect();
        row("  to the right ones", &off.iter().map(|off| format!("{off:+.1} %")).collect::<Vec<_>>());
        aim(&format!("priors {name}: at most +15 %"), off.iter().all(|&off| off <= 15.0));
    }
}

/// Breakers drawn evenly, while the priors are believed.
pub fn even(worlds: usize) {
    heading(&format!("3 breakers drawn evenly, the priors believed: mean trials of {worlds} worlds"), &sizes());
    let drawn = published::SIZES.map(|n| with_exactly(worlds, n, 3, draw::Odds::Even));
    for (name, how) in PEERS {
        numbers(name, &drawn.each_ref().map(|worlds| peer(worlds, how)));
    }
    numbers("the research's split, as published", &published::EVEN);
    numbers("split", &drawn.each_ref().map(|worlds| split(worlds, 1000).0));
}
