//! Turns SIGINT, SIGTERM and SIGHUP into a [`Stop`] that the run looks at: the first asks for a gentle end, the
//! second for an immediate one, the third ends the tool as if nothing had been installed.
//! The only file that names `signal-hook`. Jobs run in sessions of their own, so a terminal's Ctrl-C reaches the
//! tool alone, and the tool decides what becomes of them.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Context as _;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use signal_hook::low_level::emulate_default_handler;

/// How urgently the run was asked to end. Levels only rise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Nobody asked: go on.
    None,
    /// Start nothing new; end the running cells with TERM, a grace, then KILL; keep and publish what is proved.
    Gentle,
    /// End the running cells with KILL, now.
    Now,
}

/// A shared wish to stop. Clones see the same level.
#[derive(Debug, Clone)]
pub struct Stop {
    own: Arc<Wish>,
    /// The wish that this one heeds as well.
    above: Option<Arc<Wish>>,
}

/// A level, and those who wait to hear that it rose.
#[derive(Default)]
struct Wish {
    level: AtomicU8,
    wakers: Mutex<Wakers>,
}

#[derive(Default)]
struct Wakers {
    all: BTreeMap<u64, Box<dyn Fn() + Send>>,
    /// The number of the next one.
    next: u64,
}

impl fmt::Debug for Wish {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Wish").field(&self.level).finish()
    }
}

impl Wish {
    fn raise(&self, level: Level) {
        if self.level.fetch_max(level as u8, Ordering::SeqCst) < level as u8 {
            self.wakers().all.values().for_each(|wake| wake());
        }
    }

    fn add(&self, wake: Box<dyn Fn() + Send>) -> u64 {
        let mut wakers = self.wakers();
        let number = wakers.next;
        wakers.next += 1;
        wakers.all.insert(number, wake);
        number
    }

    fn wakers(&self) -> std::sync::MutexGuard<'_, Wakers> {
        self.wakers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A caller that is woken while this lives.
#[derive(Debug)]
#[must_use]
pub struct Waking(Vec<(Arc<Wish>, u64)>);

impl Drop for Waking {
    fn drop(&mut self) {
        for (wish, number) in &self.0 {
            wish.wakers().all.remove(number);
        }
    }
}

impl Stop {
    /// A stop that nothing trips but [`Stop::trip`]; for tests and for callers that cannot be interrupted.
    #[must_use]
    pub fn never() -> Self {
        Self { own: Arc::default(), above: None }
    }

    /// A stop for a part of the work: it heeds this one, and may be tripped by itself.
    #[must_use]
    pub fn part(&self) -> Self {
        Self { own: Arc::default(), above: Some(Arc::clone(&self.own)) }
    }

    /// The highest level asked for so far.
    #[must_use]
    pub fn requested(&self) -> Level {
        let above = self.above.as_ref().map_or(0, |above| above.level.load(Ordering::SeqCst));
        match self.own.level.load(Ordering::SeqCst).max(above) {
            0 => Level::None,
            1 => Level::Gentle,
            _ => Level::Now,
        }
    }

    /// Asks for `level`. A lower level than the one already asked for changes nothing.
    pub fn trip(&self, level: Level) {
        self.own.raise(level);
    }

    /// Has `wake` called whenever the wish rises, as long as the answer lives. It runs in the thread that asks for the end, and
    /// may lock what a waiter looks at, but what is locked there must not be held here.
    pub fn on_rise(&self, wake: impl Fn() + Send + Clone + 'static) -> Waking {
        let wishes = std::iter::once(&self.own).chain(&self.above);
        Waking(wishes.map(|wish| (Arc::clone(wish), wish.add(Box::new(wake.clone())))).collect())
    }

    /// What one more signal asks for; `None` says that both levels were used up and the tool should end by default.
    fn escalate(&self) -> Option<Level> {
        let next = match self.requested() {
            Level::None => Level::Gentle,
            Level::Gentle => Level::Now,
            Level::Now => return None,
        };
        self.trip(next);
        Some(next)
    }
}

/// Installs the handlers and hands back the stop they trip. Call it once, from `main`.
///
/// SIGHUP stays ignored when it was ignored at the start, so that `nohup` keeps its meaning.
///
/// # Errors
/// When the system refuses a handler or the thread that waits for signals.
pub fn install() -> anyhow::Result<Stop> {
    let mut wanted = vec![SIGINT, SIGTERM];
    if !ignored_at_start(SIGHUP) {
        wanted.push(SIGHUP);
    }
    let mut signals = Signals::new(wanted).context("could not install the handlers for Ctrl-C")?;
    let stop = Stop::never();
    let tripped = stop.clone();
    std::thread::Builder::new()
        .name("interrupt".to_owned())
        .spawn(move || {
            for signal in signals.forever() {
                if tripped.escalate().is_none() {
                    // The supervisors notice that their pipe closed, so no job outlives this.
                    let _ = emulate_default_handler(signal);
                }
            }
        })
        .context("could not start the thread that waits for signals")?;
    Ok(stop)
}

/// Whether `signal` is ignored now. Where `/proc` does not say (not Linux), it counts as not ignored.
fn ignored_at_start(signal: i32) -> bool {
    std::fs::read_to_string("/proc/self/status").is_ok_and(|status| is_in_ignored_mask(&status, signal))
}

/// Reads the line `SigIgn:` of proc(5) `status`: a hexadecimal mask whose lowest bit is signal 1.
fn is_in_ignored_mask(status: &str, signal: i32) -> bool {
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:")).map(str::trim);
    mask.and_then(|mask| u64::from_str_radix(mask, 16).ok()).is_some_and(|mask| mask >> (signal - 1) & 1 == 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_signal_is_gentle_the_second_is_now_and_the_third_is_left_to_the_system() {
        let stop = Stop::never();
        assert_eq!(stop.requested(), Level::None);
        assert_eq!(stop.escalate(), Some(Level::Gentle));
        assert_eq!(stop.requested(), Level::Gentle);
        assert_eq!(stop.escalate(), Some(Level::Now));
        assert_eq!(stop.escalate(), None);
    }

    #[test]
    fn a_level_never_falls_and_clones_share_it() {
        let stop = Stop::never();
        stop.clone().trip(Level::Now);
        stop.trip(Level::Gentle);
        assert_eq!(stop.requested(), Level::Now);
    }

    #[test]
    fn a_part_heeds_the_whole_and_does_not_stop_it() {
        let whole = Stop::never();
        let (one, other) = (whole.part(), whole.part());
        one.trip(Level::Now);
        assert_eq!((one.requested(), other.requested(), whole.requested()), (Level::Now, Level::None, Level::None));
        whole.trip(Level::Gentle);
        assert_eq!((one.requested(), other.requested()), (Level::Now, Level::Gentle));
    }

    #[test]
    fn a_waiter_is_woken_when_the_wish_rises_here_or_above_and_no_more_once_it_left() {
        let whole = Stop::never();
        let part = whole.part();
        let (told, woken) = std::sync::mpsc::channel();
        let waking = part.on_rise(move || told.send(()).unwrap());
        whole.trip(Level::Gentle);
        whole.trip(Level::Gentle);
        part.trip(Level::Now);
        assert_eq!(woken.try_iter().count(), 2, "each rise once");
        drop(waking);
        whole.trip(Level::Now);
        assert!(woken.try_recv().is_err());
    }

    #[test]
    fn an_ignored_hangup_is_read_from_the_mask() {
        assert!(is_in_ignored_mask("SigBlk:\t0\nSigIgn:\t0000000000001001\n", SIGHUP));
        assert!(!is_in_ignored_mask("SigIgn:\t0000000000001000\n", SIGHUP));
        assert!(!is_in_ignored_mask("", SIGHUP));
    }
}
