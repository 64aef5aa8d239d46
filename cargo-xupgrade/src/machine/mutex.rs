//! Locks between threads. A panic in one of them ends the run, so what it held is looked at no more and is no danger to others.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// Waits for a lock, whatever became of who had it before.
pub fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
