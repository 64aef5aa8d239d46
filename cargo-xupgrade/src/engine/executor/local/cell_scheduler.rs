//! The scheduler of cells: any number run side by side, or one alone. It tells each cell whether another one ran beside it.

use std::path::PathBuf;
use std::sync::{Arc, Condvar, Mutex, PoisonError};

use crate::machine::interrupt::{Level, Stop};
use crate::machine::mutex::lock;
use crate::machine::supervisor::Tokens;
use crate::trial::Company;

/// The scheduler of the cells of all workers.
#[derive(Debug, Default)]
pub struct CellScheduler {
    shared: Arc<Shared>,
    /// A token for each core, where several workers share them: each cell takes one, and each further compiler.
    tokens: Option<Tokens>,
}

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

impl Shared {
    /// Wakes those who wait. None of them is between its look at the wish and its sleep, as it holds the state there.
    fn wake(&self) {
        let _state = lock(&self.state);
        self.changed.notify_all();
    }
}

#[derive(Debug, Default)]
struct State {
    running: usize,
    /// True while the one that runs wants to be alone.
    is_taken: bool,
    /// The number of those that wait to be alone; newcomers let them go first.
    waiting: usize,
    /// The number of all that ever came.
    entries: usize,
}

impl CellScheduler {
    /// With tokens for those who share the cores.
    #[must_use]
    pub fn with_tokens(tokens: Option<Tokens>) -> Self {
        Self { tokens, ..Self::default() }
    }

    /// The file in which a cell finds the tokens.
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

    /// Waits until a cell may run; none when the wait was ended.
    pub fn enter(&self, company: Company, stop: &Stop) -> Option<Permit<'_>> {
        let shared = Arc::clone(&self.shared);
        let _waking = stop.on_rise(move || shared.wake());
        let mut state = lock(&self.shared.state);
        let is_lone = company == Company::Alone;
        state.waiting += usize::from(is_lone);
        loop {
            let is_wanted = stop.requested() == Level::None;
            let is_free = if is_lone { state.running == 0 } else { !state.is_taken && state.waiting == 0 };
            if is_free || !is_wanted {
                state.waiting -= usize::from(is_lone);
                self.shared.changed.notify_all();
                if !is_wanted {
                    return None;
                }
                let token = self.token(state.running);
                state.is_taken = is_lone;
                state.running += 1;
                state.entries += 1;
                return Some(Permit { scheduler: self, met: state.running > 1, entries: state.entries, token });
            }
            state = self.shared.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

/// The permit to run a cell; dropping it gives it back.
#[derive(Debug)]
pub struct Permit<'a> {
    scheduler: &'a CellScheduler,
    /// True if another cell ran already.
    met: bool,
    entries: usize,
    token: Option<u8>,
}

impl Permit<'_> {
    /// True if another cell ran beside this one at any time so far.
    #[must_use]
    pub fn had_company(&self) -> bool {
        self.met || lock(&self.scheduler.shared.state).entries > self.entries
    }
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        let mut state = lock(&self.scheduler.shared.state);
        if let Some((tokens, token)) = self.scheduler.tokens.as_ref().zip(self.token) {
            tokens.put(token);
        }
        state.running -= 1;
        state.is_taken = false;
        self.scheduler.shared.changed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_that_comes_later_is_company_too() {
        let (scheduler, stop) = (CellScheduler::default(), Stop::never());
        let first = scheduler.enter(Company::Any, &stop).unwrap();
        assert!(!first.had_company());
        let second = scheduler.enter(Company::Any, &stop).unwrap();
        drop(second);
        assert!(first.had_company());
        drop(first);
        assert!(!scheduler.enter(Company::Any, &stop).unwrap().had_company());
    }

    #[test]
    fn who_wants_to_be_alone_waits_for_the_others_and_goes_before_newcomers() {
        let (scheduler, stop) = (CellScheduler::default(), Stop::never());
        let order = Mutex::new(Vec::new());
        let first = scheduler.enter(Company::Any, &stop).unwrap();
        std::thread::scope(|scope| {
            let (scheduler, stop, order) = (&scheduler, &stop, &order);
            scope.spawn(move || {
                let permit = scheduler.enter(Company::Alone, stop).unwrap();
                order.lock().unwrap().push("alone");
                assert!(!permit.had_company());
            });
            while lock(&scheduler.shared.state).waiting == 0 {
                std::thread::yield_now();
            }
            scope.spawn(move || {
                let _permit = scheduler.enter(Company::Any, stop).unwrap();
                order.lock().unwrap().push("newcomer");
            });
            order.lock().unwrap().push("first");
            drop(first);
        });
        assert_eq!(*order.lock().unwrap(), ["first", "alone", "newcomer"]);
    }

    #[test]
    fn who_waits_is_woken_by_the_stop() {
        let (scheduler, stop) = (CellScheduler::default(), Stop::never());
        let _first = scheduler.enter(Company::Alone, &stop).unwrap();
        std::thread::scope(|scope| {
            let waits = scope.spawn(|| scheduler.enter(Company::Alone, &stop).is_none());
            while lock(&scheduler.shared.state).waiting == 0 {
                std::thread::yield_now();
            }
            stop.trip(Level::Gentle);
            assert!(waits.join().unwrap());
        });
    }

    #[test]
    fn nobody_waits_for_a_place_after_the_stop() {
        let (scheduler, stop) = (CellScheduler::default(), Stop::never());
        let first = scheduler.enter(Company::Alone, &stop).unwrap();
        stop.trip(Level::Gentle);
        assert!(scheduler.enter(Company::Any, &stop).is_none());
        assert!(scheduler.enter(Company::Alone, &stop).is_none());
        drop(first);
        assert!(scheduler.enter(Company::Any, &Stop::never()).is_some(), "those who gave up stand in nobody's way");
    }
}
