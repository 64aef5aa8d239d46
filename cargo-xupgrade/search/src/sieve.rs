//! Gates first: where they are cheap, a generation is searched with the gates alone before its tests run. What fails
//! there is only suspected: it is then tried alone, and that trial, which ends at its gates, is the evidence.

use alloc::collections::BTreeSet;
use alloc::vec::Vec;

use crate::chance;
use crate::order::{Company, Unit};
use crate::{Options, Permille, Strategy, Why};

/// Gates that cost more than this of a trial are not tried first. Measured (`scripts/bench-search --table gate`), N=50, in
/// whole trials with and without: 8.1 and 9.4 at a cost of .25, 6.0 and 8.6 at .1 where the gates see 8 of 10 of 3
/// breakers; 8.8 and 9.7 at .3, even at .4. With none or one to find 1.9..4.4 and 2.6..5.8. Where they see only half of
/// them it is even, and where they see one in five it costs up to a trial more.
const CHEAP: Permille = 300;
/// In smaller generations there is nothing to sieve.
const FEWEST: usize = 4;
/// So much of its risk one keeps that passed its gates, in 1/1000: most of what breaks does not compile.
const LEFT: u32 = 350;

/// A generation on its way through the gates.
#[derive(Debug, Clone)]
pub(crate) struct Sieve {
    units: Vec<Unit>,
    whole_first: Option<Why>,
    /// The places in `units` of those that were sent through the gates.
    sent: Vec<usize>,
    /// Those of them that failed there.
    caught: BTreeSet<usize>,
}

/// What came through, for the trials that count.
#[derive(Debug, Clone)]
pub(crate) struct Sifted {
    pub(crate) units: Vec<Unit>,
    pub(crate) whole_first: Option<Why>,
    /// Places in `units`: to be tried alone.
    pub(crate) suspects: BTreeSet<usize>,
}

impl Sifted {
    /// A generation that was not sent through the gates.
    pub(crate) fn unsifted(units: Vec<Unit>, whole_first: Option<Why>) -> Self {
        Self { units, whole_first, suspects: BTreeSet::new() }
    }
}

impl Sieve {
    /// A sieve for a generation in which the gates pay.
    pub(crate) fn new(units: &[Unit], whole_first: Option<Why>, options: &Options) -> Option<Self> {
        // What is tried alone anyway costs no more than its gates if it fails there.
        let fits = |unit: &Unit| unit.company == Company::Group && unit.risk <= chance::ALONE;
        let sent: Vec<usize> = (0..units.len()).filter(|&place| fits(&units[place])).collect();
        let pays = options.strategy == Strategy::Split && options.gate_cost <= CHEAP && sent.len() >= FEWEST;
        pays.then(|| Self { units: units.to_vec(), whole_first, sent, caught: BTreeSet::new() })
    }

    /// What is sent through the gates, in canonical order.
    pub(crate) fn units(&self) -> Vec<Unit> {
        self.sent.iter().map(|&place| self.units[place].clone()).collect()
    }

    /// These of what was sent failed at the gates.
    pub(crate) fn catch(&mut self, failed: impl Iterator<Item = usize>) {
        self.caught.extend(failed.filter_map(|place| self.sent.get(place)));
    }

    /// The generation as it is tried now.
    pub(crate) fn sifted(self) -> Sifted {
        let Self { mut units, whole_first, sent, caught } = self;
        for &place in sent.iter().filter(|place| !caught.contains(place)) {
            let left = u32::from(units[place].risk) * LEFT / 1000;
            units[place].risk = Permille::try_from(left).unwrap_or(999).max(1);
        }
        Sifted { units, whole_first: whole_first.filter(|_| caught.is_empty()), suspects: caught }
    }
}
