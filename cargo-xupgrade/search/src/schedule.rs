//! Which trials of a batch come next, for any number of places: evidence, cuts, new groups, unions, nested cuts, bets.
//! It only chooses; what answers mean is for the batch.

use alloc::vec::Vec;

use crate::batch::{Asked, Batch, Shot};
use crate::evidence::{Doubt, Side};
use crate::lane::{Again, Kind, Lane, Probe};
use crate::order::Company;
use crate::{Scope, Strategy, Ticket, Why, chance};

/// A trial to propose.
#[derive(Debug, Clone)]
pub(crate) struct Ask {
    pub(crate) ticket: Ticket,
    pub(crate) shot: Shot,
    pub(crate) scope: Scope,
    pub(crate) why: Why,
}

/// A nested cut pays when it tells something at least this often, in 1/1000.
const WORTH_A_CUT: u64 = 50;

/// A bet pays when it wins at least this often, in 1/1000.
const WORTH_A_BET: u64 = 100;

impl Batch {
    /// The next trial, if there is one worth a place.
    pub(crate) fn propose(&mut self, ticket: Ticket) -> Option<Ask> {
        self.ask_evidence(ticket)
            .or_else(|| self.ask_lane(ticket))
            .or_else(|| self.ask_last_union(ticket))
            .or_else(|| self.draw(ticket))
            .or_else(|| self.ask_union(ticket))
            .or_else(|| self.ask_bet(ticket))
            .or_else(|| self.ask_nested(ticket))
    }

    /// One more run of what failed, with or without the unit that is suspected.
    fn ask_evidence(&mut self, ticket: Ticket) -> Option<Ask> {
        let wants = |lane: &Lane| lane.leaf().and(lane.doubt.as_ref()).and_then(Doubt::wanted);
        let lane = self.lanes.iter_mut().find(|lane| wants(lane).is_some())?;
        let (side, runs, until) = wants(lane)?;
        let doubt = lane.doubt.as_mut()?;
        doubt.ask(side, ticket);
        let scope = Scope::Again { of: doubt.of, reach: doubt.reach, runs, until };
        let (len, why) = match side {
            Side::With => (lane.units.len(), Why::Confirm),
            Side::Without => (lane.passed, Why::Bracket),
        };
        let shot = Shot { based: lane.based, units: lane.units[..len].to_vec() };
        self.asked.insert(ticket, Asked::Lane(lane.name));
        Some(Ask { ticket, shot, scope, why })
    }

    /// A trial of a lane that has none under way.
    fn ask_lane(&mut self, ticket: Ticket) -> Option<Ask> {
        let next = |lane: &Lane| lane.next(|| self.cut(lane));
        let (place, (len, why, again)) =
            self.lanes.iter().enumerate().find_map(|(place, lane)| Some((place, next(lane)?)))?;
        self.lanes[place].retry = None;
        Some(self.probe(place, len, why, again, ticket))
    }

    /// Where the failing window of a lane is cut.
    fn cut(&self, lane: &Lane) -> usize {
        match self.rule.strategy {
            Strategy::Halving => (lane.window().len() / 2).max(1),
            Strategy::Split | Strategy::OneByOne | Strategy::All => {
                self.named_cut(lane).unwrap_or_else(|| chance::cut(&self.stakes(lane), self.rule.floor, &self.track))
            }
        }
    }

    /// The cut right before the first unit that evidence names, and once that unit comes first, right behind it.
    fn named_cut(&self, lane: &Lane) -> Option<usize> {
        let before = lane.window().iter().position(|&unit| self.is_named(lane, unit))?;
        Some(before.max(1))
    }

    fn probe(&mut self, place: usize, len: usize, why: Why, again: Again, ticket: Ticket) -> Ask {
        let lane = &mut self.lanes[place];
        lane.probes.push(Probe { ticket, len, again });
        self.asked.insert(ticket, Asked::Lane(lane.name));
        let shot = Shot { based: lane.based, units: lane.units[..len].to_vec() };
        Ask { ticket, shot, scope: self.rule.scope, why }
    }

    /// The next group from the pool, as a lane of its own.
    fn draw(&mut self, ticket: Ticket) -> Option<Ask> {
        let first = *self.pool.first()?;
        let whole = self.rule.whole_first.take();
        let units = match (whole, self.rule.strategy) {
            (Some(_), _) => self.pool.iter().copied().collect(),
            (None, _) if self.is_loner(first) => [first].into(),
            (None, Strategy::Halving | Strategy::All) => self.sociable().collect(),
            (None, Strategy::OneByOne | Strategy::Split) => self.telling(),
        };
        let mut units: Vec<usize> = units;
        units.truncate(self.timid.unwrap_or(usize::MAX).max(1));
        for unit in &units {
            self.pool.remove(unit);
        }
        let own = self.units[units[0]].why.filter(|&why| units.iter().all(|&unit| self.units[unit].why == Some(why)));
        let suspect = (units.len() == 1 && self.suspects.contains(&first)).then_some(Why::Suspect);
        let plain = if units.len() == 1 { Why::Leaf } else { Why::Group };
        let why = own.or(suspect).or(whole).unwrap_or(plain);
        let place = self.open_lane(Kind::Fresh, units, why);
        let len = self.lanes[place].units.len();
        Some(self.probe(place, len, why, Again::No, ticket))
    }

    /// The units in the pool that may be tried with others.
    fn sociable(&self) -> impl Iterator<Item = usize> + '_ {
        self.pool.iter().copied().filter(|&unit| !self.is_loner(unit))
    }

    /// The units from the front of the pool whose common trial teaches most for its cost.
    fn telling(&self) -> Vec<usize> {
        let stakes = self.sociable().map(|unit| self.stake(unit));
        let length = chance::group(stakes, self.rule.floor, &self.track);
        self.sociable().take(length).collect()
    }

    /// Whether a unit is best tried alone.
    fn is_loner(&self, unit: usize) -> bool {
        match self.rule.strategy {
            Strategy::OneByOne => true,
            Strategy::All => false,
            Strategy::Halving => self.units[unit].company == Company::Alone || self.suspects.contains(&unit),
            Strategy::Split => {
                self.units[unit].company == Company::Alone
                    || self.suspects.contains(&unit)
                    || self.risk(unit) > chance::ALONE
            }
        }
    }

    fn open_lane(&mut self, kind: Kind, units: Vec<usize>, why: Why) -> usize {
        self.lane_names += 1;
        self.lanes.push(Lane::new(self.lane_names, kind, self.settled.len(), units, why));
        self.lanes.len() - 1
    }

    /// What is kept, together, when nothing else is left to do.
    fn ask_last_union(&mut self, ticket: Ticket) -> Option<Ask> {
        let fresh = self.lanes.iter().any(|lane| lane.kind == Kind::Fresh);
        if !self.pool.is_empty() || fresh {
            return None;
        }
        self.ask_union(ticket)
    }

    /// All that is kept and can be settled, if it did not pass together yet.
    fn ask_union(&mut self, ticket: Ticket) -> Option<Ask> {
        if self.lanes.iter().any(|lane| lane.kind == Kind::Union) {
            return None;
        }
        let units: Vec<usize> = self.kept.range(..self.frontier()).copied().collect();
        let shot = Shot { based: self.settled.len(), units };
        if shot.units.is_empty() || self.is_bet(&shot) {
            return None;
        }
        let passed = self.passed_prefix(&shot);
        let place = self.open_lane(Kind::Union, shot.units, Why::Union);
        self.lanes[place].passed = passed;
        let len = self.lanes[place].units.len();
        Some(self.probe(place, len, Why::Union, Again::No, ticket))
    }

    /// How much of a sequence passed already, from its front.
    fn passed_prefix(&self, shot: &Shot) -> usize {
        let of = |pass: &Shot| {
            let same = pass.based == shot.based && shot.units.starts_with(&pass.units);
            same.then_some(pass.units.len())
        };
        self.passes.iter().filter_map(|(pass, _)| of(pass)).max().unwrap_or(0).min(shot.units.len().saturating_sub(1))
    }

    fn is_bet(&self, shot: &Shot) -> bool {
        self.asked.values().any(|asked| matches!(asked, Asked::Bet(bet) if bet == shot))
    }

    /// A further cut in the lane where one tells most.
    fn ask_nested(&mut self, ticket: Ticket) -> Option<Ask> {
        if self.rule.strategy == Strategy::All {
            return None;
        }
        // A union likely passes: it is cut only when it failed.
        let worth = |lane: &Lane| !lane.probes.is_empty() && (lane.kind == Kind::Fresh || lane.failure.is_some());
        let cuts = self.lanes.iter().enumerate().filter(|(_, lane)| worth(lane)).filter_map(|(place, lane)| {
            let (weight, len) = lane.nested(&self.priors(lane.window()), &self.track)?;
            Some((weight, core::cmp::Reverse(place), len))
        });
        let (weight, core::cmp::Reverse(place), len) = cuts.max()?;
        if weight < WORTH_A_CUT {
            return None;
        }
        let why = crate::lane::part(len - self.lanes[place].passed);
        Some(self.probe(place, len, why, Again::No, ticket))
    }

    /// What will be kept if all that is open goes well: the end of the batch, one round earlier.
    fn ask_bet(&mut self, ticket: Ticket) -> Option<Ask> {
        let union = self.lanes.iter().any(|lane| lane.kind == Kind::Union && lane.failure.is_some());
        if !self.pool.is_empty() || union || self.rule.strategy == Strategy::All {
            return None;
        }
        let mut all = self.kept.clone();
        let mut odds = 1000;
        for lane in self.lanes.iter().filter(|lane| lane.kind == Kind::Fresh) {
            let last = lane.units.len() - usize::from(lane.failure.is_some());
            all.extend(&lane.units[lane.passed..last]);
            odds = odds * chance::all_but_last(&self.priors(lane.window()), lane.known(), &self.track) / 1000;
        }
        if odds < WORTH_A_BET {
            return None;
        }
        let shot = Shot { based: self.settled.len(), units: all.into_iter().collect() };
        let is_probed = |lane: &Lane| {
            let of = |probe: &Probe| lane.based == shot.based && lane.units[..probe.len] == shot.units[..];
            lane.probes.iter().any(of)
        };
        let known = self.lost.contains(&shot) || self.passes.iter().any(|(pass, _)| *pass == shot);
        if shot.units.is_empty() || known || self.is_bet(&shot) || self.lanes.iter().any(is_probed) {
            return None;
        }
        self.asked.insert(ticket, Asked::Bet(shot.clone()));
        Some(Ask { ticket, shot, scope: self.rule.scope, why: Why::Union })
    }
}
