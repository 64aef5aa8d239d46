//! The local executor keeps what every executor promises, on a real clone of a real repository.

use super::*;
use crate::app::demo::world::World;
use crate::checkout::repo::Repo;
use crate::engine::executor::conformance;
use crate::event::Event;
use crate::plan::Plan;

fn nothing_planned(base: &str) -> Plan {
    Plan::of(base, vec![])
}

/// A repository in a folder of its own, with as many workers as wanted.
struct Stage {
    folder: tempfile::TempDir,
    workers: Vec<Worker>,
    plan: Plan,
}

impl Stage {
    fn new(workers: usize) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let world = World::build(include_str!("../../../../../fixtures/lock_only.txtar"), &folder.path().join("world"))
            .unwrap();
        let repo = Repo::discover(&world.repo).unwrap();
        let base = repo.base(None).unwrap();
        let cache = folder.path().join("cache");
        let workers = (0..workers).map(|slot| Worker::prepare(&repo, &base, &cache, slot).unwrap()).collect();
        Self { plan: nothing_planned(&base.commit), folder, workers }
    }

    /// Works with an executor on the stage.
    fn play(&self, act: impl FnOnce(&mut Local<'_, '_>)) {
        let place = |worker| Place { worker, environment: CheckEnv::state(worker, &[], None).unwrap() };
        let places: Vec<Place<'_>> = self.workers.iter().map(place).collect();
        let facts = Facts::none();
        let tools = Tools {
            places: &places,
            plan: &self.plan,
            ecosystems: &[],
            out: self.folder.path().join("out"),
            facts: &facts,
            listener: &|_: &Event| {},
            stop: Stop::never(),
        };
        with(tools, |local| {
            act(local);
            Ok(())
        })
        .unwrap();
    }
}

#[test]
fn the_local_executor_keeps_the_promises_of_an_executor() {
    Stage::new(1).play(|local| conformance::conforms(local));
}

#[test]
fn it_keeps_them_with_several_workers() {
    Stage::new(3).play(|local| conformance::conforms(local));
}

#[test]
fn a_tree_that_one_worker_wrote_is_shown_by_the_others() {
    let stage = Stage::new(2);
    let [first, second] = &stage.workers[..] else { panic!("there are two") };
    std::fs::write(second.tree().join("src/lib.rs"), "// changed in the second\n").unwrap();
    let tree = second.snapshot(&["src/lib.rs".into()]).unwrap();
    first.start_from(Some(&tree)).unwrap();
    assert_eq!(std::fs::read_to_string(first.tree().join("src/lib.rs")).unwrap(), "// changed in the second\n");
    assert_ne!(first.tree(), second.tree());
}
