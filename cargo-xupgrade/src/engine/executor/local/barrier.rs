//! A barrier for the tests of two baselines: they begin together, so that a clash between them shows.

use std::sync::{Arc, Condvar, Mutex, PoisonError};

use crate::machine::interrupt::{Level, Stop};
use crate::machine::mutex::lock;

/// Trials that go through the same cells in step.
#[derive(Debug)]
pub struct Barrier {
    /// The place that each one has reached; one that left is beyond any place.
    reached: Mutex<Vec<usize>>,
    changed: Condvar,
}

impl Barrier {
    /// Of so many trials.
    #[must_use]
    pub fn of(parties: usize) -> Arc<Self> {
        Arc::new(Self { reached: Mutex::new(vec![0; parties]), changed: Condvar::default() })
    }

    /// The handle of one trial.
    #[must_use]
    pub fn handle(self: &Arc<Self>, party: usize) -> BarrierHandle {
        BarrierHandle { barrier: Arc::clone(self), party }
    }

    /// Wakes those who wait. None of them is between its look at the wish and its sleep, as it holds the places there.
    fn wake(&self) {
        let _reached = lock(&self.reached);
        self.changed.notify_all();
    }
}

/// A trial's part in a barrier; dropping it leaves, and nobody waits for it any more.
#[derive(Debug)]
pub struct BarrierHandle {
    barrier: Arc<Barrier>,
    party: usize,
}

impl BarrierHandle {
    /// Waits until all the others are at this place, beyond it or gone; places count from 1.
    pub fn arrive(&self, place: usize, stop: &Stop) {
        let barrier = Arc::clone(&self.barrier);
        let _waking = stop.on_rise(move || barrier.wake());
        let mut reached = lock(&self.barrier.reached);
        reached[self.party] = place;
        self.barrier.changed.notify_all();
        while reached.iter().any(|one| *one < place) && stop.requested() == Level::None {
            reached = self.barrier.changed.wait(reached).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

impl Drop for BarrierHandle {
    fn drop(&mut self) {
        lock(&self.barrier.reached)[self.party] = usize::MAX;
        self.barrier.changed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn those_who_meet_wait_for_one_another_and_not_for_who_left() {
        let (barrier, stop) = (Barrier::of(2), Stop::never());
        let (one, other) = (barrier.handle(0), barrier.handle(1));
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

    #[test]
    fn who_waits_for_another_one_is_woken_by_the_stop() {
        let (barrier, stop) = (Barrier::of(2), Stop::never());
        let (one, _other) = (barrier.handle(0), barrier.handle(1));
        std::thread::scope(|scope| {
            scope.spawn(|| one.arrive(1, &stop));
            while lock(&barrier.reached)[0] == 0 {
                std::thread::yield_now();
            }
            stop.trip(Level::Now);
        });
    }
}
