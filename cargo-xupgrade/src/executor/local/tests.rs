//! The local executor keeps what every executor promises, on a real clone of a real repository.

use super::*;
use crate::clock;
use crate::demo::world::World;
use crate::executor::conformance;
use crate::plan::Plan;
use crate::repo::Repo;

fn nothing_planned(base: &str) -> Plan {
    Plan {
        base: base.to_owned(),
        as_of: clock::Instant::parse("2026-01-01T00:00:00Z").unwrap(),
        projects: vec![],
        candidates: vec![],
        held: vec![],
        newest: vec![],
        cells: vec![],
        cooldowns: vec![],
        frozen: vec![],
        set_aside: vec![],
        not_replayable: vec![],
    }
}

#[test]
fn the_local_executor_keeps_the_promises_of_an_executor() {
    let folder = tempfile::tempdir().unwrap();
    let world =
        World::build(include_str!("../../../../fixtures/lock_only.txtar"), &folder.path().join("world")).unwrap();
    let repo = Repo::discover(&world.repo).unwrap();
    let base = repo.base(None).unwrap();
    let worker = Worker::prepare(&repo, &base, &folder.path().join("cache"), 0).unwrap();
    let environment = CheckEnv::state(&worker, &[], None).unwrap();
    let plan = nothing_planned(&base.commit);
    let mut local = Local::new(Tools {
        worker: &worker,
        plan: &plan,
        ecosystems: &[],
        environment: &environment,
        out: folder.path().join("out"),
        listener: &|_: &Event| {},
        stop: Stop::never(),
    });
    conformance::conforms(&mut local);
}
