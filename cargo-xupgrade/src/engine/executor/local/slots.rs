//! Hands out the places: one thread for each running trial, in the place whose target directory built the nearest set last.
//! What finishes comes back in the order in which it finishes.

use std::collections::{BTreeSet, VecDeque};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::{Builder, Scope};
use std::time::Instant;

use anyhow::{Context as _, Result, anyhow};

use super::barrier::{Barrier, BarrierHandle};
use super::cell_scheduler::CellScheduler;
use super::runner::TrialRunner;
use super::{Shared, Tools};
use crate::engine::executor::{Executor, Finished, Order};
use crate::machine::interrupt::{Level, Stop};
use crate::machine::mutex::lock;
use crate::machine::supervisor::{Containment, Launcher, Tokens};
use crate::trial::{Member, Noise, TrialEnd, TrialReport, members};
use crate::verdict::Baseline;

/// A local executor and what it has seen.
pub struct Local<'scope, 'a> {
    scope: &'scope Scope<'scope, 'a>,
    tools: Tools<'a>,
    /// What the untouched base does: which tests are flaky, and what stands on what.
    known: Arc<Baseline>,
    /// What supervises the cells, where it is not this very program.
    pub launcher: Option<Launcher>,
    shared: Arc<Shared>,
    slots: Vec<Slot>,
    queue: VecDeque<Queued>,
    /// Orders that were cancelled before they began.
    unwanted: VecDeque<String>,
    tell: Sender<Done>,
    done: Receiver<Done>,
}

/// An order that waits for a place.
struct Queued {
    order: Order,
    /// The moment at which the budget ends it.
    until: Option<Instant>,
    /// Its part in a barrier.
    barrier: Option<BarrierHandle>,
}

impl Queued {
    fn new(order: Order, barrier: Option<BarrierHandle>) -> Self {
        let until = order.left.map(|left| Instant::now() + left);
        Self { order, until, barrier }
    }
}

/// The atoms that a target directory built last: candidate and rung.
type Built = BTreeSet<Member>;

/// One place and what it is at.
#[derive(Default)]
struct Slot {
    /// What its target directory built last.
    built: Built,
    running: Option<Running>,
}

struct Running {
    id: String,
    stop: Stop,
}

/// What a thread leaves.
struct Done {
    slot: usize,
    id: String,
    report: std::thread::Result<Result<TrialReport>>,
    seconds: f64,
}

/// Lets `work` use a local executor. Trials that are still under way when it returns are ended.
///
/// # Errors
/// Those of `work`.
pub fn with<'a, T>(tools: Tools<'a>, work: impl FnOnce(&mut Local<'_, 'a>) -> Result<T>) -> Result<T> {
    std::thread::scope(|scope| work(&mut Local::new(tools, scope)))
}

impl<'scope, 'a> Local<'scope, 'a> {
    fn new(tools: Tools<'a>, scope: &'scope Scope<'scope, 'a>) -> Self {
        let (tell, done) = channel();
        let tokens = match tools.places {
            // Without a pipe each worker gets its share by number.
            [first, _, ..] => Tokens::lay(&first.worker.slot().join("jobs"), cores()).ok(),
            _ => None,
        };
        let slots = tools.places.iter().map(|_| Slot::default()).collect();
        Self {
            scope,
            tools,
            known: Arc::default(),
            launcher: None,
            shared: Arc::new(Shared { scheduler: CellScheduler::with_tokens(tokens), ..Shared::default() }),
            slots,
            queue: VecDeque::new(),
            unwanted: VecDeque::new(),
            tell,
            done,
        }
    }

    /// How processes were kept together, once one ran.
    #[must_use]
    pub fn containment(&self) -> Option<Containment> {
        *lock(&self.shared.containment)
    }

    /// Starts what can be started.
    fn dispatch(&mut self) -> Result<()> {
        while let Some(next) = self.queue.front() {
            let wanted = members(&next.order.atoms).collect();
            let free = self.slots.iter().enumerate().filter(|(_, slot)| slot.running.is_none());
            let Some(slot) = nearest(free.map(|(position, slot)| (position, &slot.built)), &wanted) else {
                return Ok(());
            };
            if let Some(queued) = self.queue.pop_front() {
                self.start(slot, queued)?;
            }
        }
        Ok(())
    }

    fn start(&mut self, slot: usize, Queued { order, until, barrier }: Queued) -> Result<()> {
        let stop = self.tools.stop.part();
        let runner = TrialRunner { until, barrier, ..self.runner(slot, &stop) };
        self.slots[slot].built = members(&order.atoms).collect();
        self.slots[slot].running = Some(Running { id: order.id.clone(), stop });
        let tell = self.tell.clone();
        let work = move || {
            let began = Instant::now();
            let report = catch_unwind(AssertUnwindSafe(|| runner.run(&order)));
            drop(runner);
            let known =
                report.as_ref().ok().and_then(|report| report.as_ref().ok()).map_or(0.0, |one| one.known_seconds);
            let seconds = began.elapsed().as_secs_f64() + known;
            // Nobody listens when the run broke off meanwhile.
            let _ = tell.send(Done { slot, id: order.id, report, seconds });
        };
        let thread = Builder::new().name(format!("w{slot}")).spawn_scoped(self.scope, work);
        thread.map(drop).context("could not start a thread for a trial")
    }

    fn runner(&self, slot: usize, stop: &Stop) -> TrialRunner<'a> {
        let place = &self.tools.places[slot];
        let environment = place.environment.clone();
        let share = cores() / self.slots.len();
        TrialRunner {
            tools: self.tools.clone(),
            worker: place.worker,
            environment: if self.slots.len() > 1 { environment.with_share(share.max(1)) } else { environment },
            shared: Arc::clone(&self.shared),
            known: Arc::clone(&self.known),
            launcher: self.launcher.clone(),
            stop: stop.clone(),
            until: None,
            barrier: None,
        }
    }

    fn finish(&mut self, done: Done) -> Result<Finished> {
        self.slots[done.slot].running = None;
        let report = done.report.unwrap_or_else(|panic| std::panic::resume_unwind(panic))?;
        Ok(Finished { id: done.id, report, seconds: done.seconds })
    }
}

impl Executor for Local<'_, '_> {
    fn capacity(&self) -> usize {
        self.slots.len()
    }

    fn learn(&mut self, known: &Baseline) {
        self.known = Arc::new(known.clone());
    }

    fn submit(&mut self, order: Order) -> Result<()> {
        self.queue.push_back(Queued::new(order, None));
        self.dispatch()
    }

    fn submit_abreast(&mut self, orders: Vec<Order>) -> Result<()> {
        let barrier = Barrier::of(orders.len());
        let queued = |(party, order)| Queued::new(order, Some(barrier.handle(party)));
        self.queue.extend(orders.into_iter().enumerate().map(queued));
        self.dispatch()
    }

    fn poll(&mut self) -> Result<Option<Finished>> {
        if let Some(id) = self.unwanted.pop_front() {
            let report = TrialReport { end: TrialEnd::Noise(Noise::Cancelled), ..TrialReport::default() };
            return Ok(Some(Finished { id, report, seconds: 0.0 }));
        }
        if self.slots.iter().all(|slot| slot.running.is_none()) {
            return Ok(None);
        }
        let done = self.done.recv().map_err(|_| anyhow!("all trials were lost"))?;
        let finished = self.finish(done)?;
        self.dispatch()?;
        Ok(Some(finished))
    }

    fn cancel(&mut self, id: &str) {
        let unwanted = &mut self.unwanted;
        self.queue.retain(|queued| {
            let stays = queued.order.id != id;
            if !stays {
                unwanted.push_back(queued.order.id.clone());
            }
            stays
        });
        let running = self.slots.iter().filter_map(|slot| slot.running.as_ref());
        running.filter(|one| one.id == id).for_each(|one| one.stop.trip(Level::Now));
    }
}

impl Drop for Local<'_, '_> {
    fn drop(&mut self) {
        self.slots.iter().filter_map(|slot| slot.running.as_ref()).for_each(|one| one.stop.trip(Level::Now));
    }
}

/// The place whose target directory needs the fewest changes; of equal ones the first.
fn nearest<'s>(free: impl Iterator<Item = (usize, &'s Built)>, wanted: &Built) -> Option<usize> {
    free.min_by_key(|(_, built)| built.symmetric_difference(wanted).count()).map(|(position, _)| position)
}

fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trial_goes_where_the_nearest_set_was_built_and_else_to_the_first_place() {
        let member = |&(candidate, rung): &(usize, usize)| Member { candidate, rung };
        let built_of = |all: &[(usize, usize)]| all.iter().map(member).collect::<Built>();
        let built: Vec<Built> = [&[][..], &[(0, 0), (1, 0)], &[(0, 0), (1, 1)]].map(built_of).into();
        let choose = |free: &[usize], wanted: &[(usize, usize)]| {
            nearest(free.iter().map(|slot| (*slot, &built[*slot])), &built_of(wanted))
        };
        assert_eq!(choose(&[0, 1, 2], &[(0, 0), (1, 0), (2, 0)]), Some(1));
        assert_eq!(choose(&[0, 2], &[(0, 0), (1, 0), (2, 0)]), Some(0), "three away both, so the first");
        assert_eq!(choose(&[0, 1, 2], &[(0, 0)]), Some(0), "one away all, so the first");
        assert_eq!(choose(&[], &[]), None);
    }
}
