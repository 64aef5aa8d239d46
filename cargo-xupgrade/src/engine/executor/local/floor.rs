//! Who runs cells now: any number side by side, or one alone. It tells each cell whether another one ran beside it, and
//! lets the tests of two baselines begin together, so that a clash between them shows.

use std::path::PathBuf;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::machine::interrupt::{Level, Stop};
use crate::machine::supervisor::Tokens;
use crate::trial::Company;

/// How often those who wait look whether they are still wanted.
const TICK: Duration = Duration::from_millis(20);

/// The place where cells run.
#[derive(Debug, Default)]
pub struct Floor {
    state: Mutex<State>,
    changed: Condvar,
    /// A token for each core, where several workers share them: each cell takes one, and each further compiler.
    tokens: Option<Tokens>,
}

#[derive(Debug, Default)]
struct State {
    running: usize,
    /// Whether the one that runs wants to be alone.
    is_taken: bool,
    /// How many wait to be alone; newcomers let them go first.
    waiting: usize,
    /// How many ever came.
    entries: usize,
}

impl Floor {
    /// With tokens for those who share the cores.
    #[must_use]
    pub fn with_tokens(tokens: Option<Tokens>) -> Self {
        Self { tokens, ..Self::default() }
    }

    /// Where a cell finds the tokens.
    #[must_use]
    pub fn jobserver(&self) -> Option<PathBuf> {
        self.tokens.as_ref().map(|tokens| tokens.path().to_owned())
    }

    /// The token of a cell that comes in, if there is one; it goes on without.
    fn token(&self, running: usize) -> Option<u8> {
        let tokens = self.tokens.as_ref()?;
        if running == 0 {
            tokens.fill();
        }
        tokens.take()
    }

    /// Waits for a place; none when the wait was ended.
    pub fn enter(&self, company: Company, stop: &Stop) -> Option<Pass<'_>> {
        let mut state = lock(&self.state);
        let is_lone = company == Company::Alone;
        state.waiting += usize::from(is_lone);
        loop {
            let is_wanted = stop.requested() == Level::None;
            let is_free = if is_lone { state.running == 0 } else { !state.is_taken && state.waiting == 0 };
            if is_free || !is_wanted {
                state.waiting -= usize::from(is_lone);
                self.changed.notify_all();
                if !is_wanted {
                    return None;
                }
                let token = self.token(state.running);
                state.is_taken = is_lone;
                state.running += 1;
                state.entries += 1;
                return Some(Pass { floor: self, met: state.running > 1, entries: state.entries, token });
            }
            state = self.wait(state);
        }
    }

    fn wait<'s>(&self, state: MutexGuard<'s, State>) -> MutexGuard<'s, State> {
        self.changed.wait_timeout(state, TICK).unwrap_or_else(PoisonError::into_inner).0
    }
}

/// A place on the floor; dropping it leaves.
#[derive(Debug)]
pub struct Pass<'a> {
    floor: &'a Floor,
    /// Whether somebody was there already.
    met: bool,
    entries: usize,
    token: Option<u8>,
}

impl Pass<'_> {
    /// Whether another cell ran beside this one at any time so far.
    #[must_use]
    pub fn had_company(&self) -> bool {
        self.met || lock(&self.floor.state).entries > self.entries
    }
}

impl Drop for Pass<'_> {
    fn drop(&mut self) {
        let mut state = lock(&self.floor.state);
        if let Some((tokens, token)) = self.floor.tokens.as_ref().zip(self.token) {
            tokens.put(token);
        }
        state.running -= 1;
        state.is_taken = false;
        self.floor.changed.notify_all();
    }
}

/// Trials that go through the same cells in step.
#[derive(Debug)]
pub struct Meeting {
    /// How far each one is; who left is beyond any place.
    reached: Mutex<Vec<usize>>,
    changed: Condvar,
}

impl Meeting {
    /// Of so many trials.
    #[must_use]
    pub fn of(parties: usize) -> Arc<Self> {
        Arc::new(Self { reached: Mutex::new(vec![0; parties]), changed: Condvar::default() })
    }

    /// The seat of one trial.
    #[must_use]
    pub fn seat(self: &Arc<Self>, party: usize) -> Seat {
        Seat { meeting: Arc::clone(self), party }
    }
}

/// A trial's part in a meeting; dropping it leaves, and nobody waits for it any more.
#[derive(Debug)]
pub struct Seat {
    meeting: Arc<Meeting>,
    party: usize,
}

impl Seat {
    /// Waits until all the others are at this place, beyond it or gone; places count from 1.
    pub fn arrive(&self, place: usize, stop: &Stop) {
        let mut reached = lock(&self.meeting.reached);
        reached[self.party] = place;
        self.meeting.changed.notify_all();
        while reached.iter().any(|one| *one < place) && stop.requested() == Level::None {
            let waited = self.meeting.changed.wait_timeout(reached, TICK);
            reached = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        lock(&self.meeting.reached)[self.party] = usize::MAX;
        self.meeting.changed.notify_all();
    }
}

/// Locks, whether or not another thread panicked meanwhile: its panic is told elsewhere, and no half change is left here.
pub fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_that_comes_later_is_company_too() {
        let (floor, stop) = (Floor::default(), Stop::never());
        let first = floor.enter(Company::Any, &stop).unwrap();
        assert!(!first.had_company());
        let second = floor.enter(Company::Any, &stop).unwrap();
        drop(second);
        assert!(first.had_company());
        drop(first);
        assert!(!floor.enter(Company::Any, &stop).unwrap().had_company());
    }

    #[test]
    fn who_wants_to_be_alone_waits_for_the_others_and_goes_before_newcomers() {
        let (floor, stop) = (Floor::default(), Stop::never());
        let order = Mutex::new(Vec::new());
        let first = floor.enter(Company::Any, &stop).unwrap();
        std::thread::scope(|scope| {
            let (floor, stop, order) = (&floor, &stop, &order);
            scope.spawn(move || {
                let pass = floor.enter(Company::Alone, stop).unwrap();
                order.lock().unwrap().push("alone");
                assert!(!pass.had_company());
            });
            while lock(&floor.state).waiting == 0 {
                std::thread::yield_now();
            }
            scope.spawn(move || {
                let _pass = floor.enter(Company::Any, stop).unwrap();
                order.lock().unwrap().push("newcomer");
            });
            order.lock().unwrap().push("first");
            drop(first);
        });
        assert_eq!(*order.lock().unwrap(), ["first", "alone", "newcomer"]);
    }

    #[test]
    fn nobody_waits_for_a_place_after_the_stop() {
        let (floor, stop) = (Floor::default(), Stop::never());
        let first = floor.enter(Company::Alone, &stop).unwrap();
        stop.trip(Level::Gentle);
        assert!(floor.enter(Company::Any, &stop).is_none());
        assert!(floor.enter(Company::Alone, &stop).is_none());
        drop(first);
        assert!(floor.enter(Company::Any, &Stop::never()).is_some(), "those who gave up stand in nobody's way");
    }

    #[test]
    fn those_who_meet_wait_for_one_another_and_not_for_who_left() {
        let (meeting, stop) = (Meeting::of(2), Stop::never());
        let (one, other) = (meeting.seat(0), meeting.seat(1));
        let told = Mutex::new(0);
        std::thread::scope(|scope| {
            let (told, stop) = (&told, &stop);
            scope.spawn(move || {
                one.arrive(2, stop);
                assert_eq!(*told.lock().unwrap(), 2, "the other one was not there yet");
                one.arrive(3, stop);
            });
            *told.lock().unwrap() = 2;
            other.arrive(2, stop);
            drop(other);
        });
    }
}
