//! Trials in processes of their own, which get nothing but files: as another machine would run them.

use std::collections::BTreeMap;
use std::ffi::OsString;

use cargo_xupgrade::app::demo::ARCHIVE;
use cargo_xupgrade::checkout::repo::Repo;
use cargo_xupgrade::checkout::worker::Worker;
use cargo_xupgrade::engine::executor::process::{Means, Processes};
use cargo_xupgrade::machine::interrupt::Stop;
use cargo_xupgrade::machine::supervisor::Launcher;
use cargo_xupgrade::plan::Plan;
use cargo_xupgrade::task::{Ground, Task};
use serde_json::{Value, json};

use crate::common::process::{VARIABLE, assert_none_left, mark, wait_for};
use crate::common::{Env, Ran, TOOL, shared};

#[path = "../cargo-xupgrade/src/engine/executor/conformance.rs"]
mod conformance;

/// The first order of a run in a world, which is killed.
fn first_order(env: &Env) -> Task {
    let mut run = env.start(&["--executor", "process"]);
    run.wait_for("the baseline began", |event| event["event"] == "trial-began");
    let cache = env.world.root.join("cache");
    let order = || -> Option<Task> {
        let folders = cache.read_dir().into_iter().flatten().flatten();
        let mut files = folders.map(|folder| folder.path().join("processes/baseline-1.task.json"));
        files.find_map(|path| serde_json::from_str(&std::fs::read_to_string(path).ok()?).ok())
    };
    // Only a run that writes none uses it up.
    let mut patience = 12_000;
    let task = loop {
        if let Some(task) = order() {
            break task;
        }
        patience -= 1;
        assert!(patience > 0, "no order was written");
        std::thread::sleep(std::time::Duration::from_millis(5));
    };
    run.signal("KILL");
    run.end(env);
    task
}

#[test]
fn an_executor_of_processes_keeps_the_promises_of_an_executor() {
    let env = Env::new("lock_only");
    let Task { ground, as_of, .. } = first_order(&env);
    let root = env.world.root.clone();
    let repo = Repo::discover(env.repo()).unwrap();
    let base = repo.base(None).unwrap();
    let worker = Worker::prepare(&repo, &base, &root.join("worker"), 0).unwrap();
    let plan = Plan { as_of, ..Plan::of(&base.commit, vec![]) };
    let vars: BTreeMap<OsString, OsString> = env.vars().map(|(key, value)| (key.into(), value.into())).collect();
    let mut processes = Processes::new(Means {
        program: TOOL.into(),
        env: vars,
        launcher: Launcher::new(TOOL),
        repo: env.repo().to_owned(),
        ground,
        plan: &plan,
        worker: &worker,
        folder: root.join("processes"),
        out: root.join("out"),
        stop: Stop::never(),
    })
    .unwrap();
    conformance::conforms(&mut processes);
}

/// All that a run decided: the trials with their trees and verdicts, upgrades, holds, and the tree of the branch.
fn decisions(env: &Env, ran: &Ran) -> Value {
    assert_eq!(ran.code, 0, "{}", ran.said());
    let pick = |list: &str, keys: &[&str]| -> Vec<Value> {
        let all = ran.report[list].as_array().unwrap().iter();
        all.map(|one| keys.iter().map(|key| one[*key].clone()).collect()).collect()
    };
    json!({
        "trials": pick("trials", &["id", "why", "atoms", "fresh", "tree", "verdict"]),
        "upgrades": pick("upgrades", &["name", "to", "proof", "also_moved", "notes"]),
        "held": pick("held", &["name", "wanted"]),
        "tree": env.git(&["rev-parse", &format!("{}^{{tree}}", env.branches()[0])]),
        "containment": ran.report["containment"],
    })
}

#[test]
fn the_demo_ends_alike_whether_its_trials_run_in_this_process_or_in_others() {
    let here = shared("demo", &[]);
    let env = Env::from_archive(ARCHIVE);
    let ran = env.run(&["--executor", "process"]);
    let logs = env.repo().join("xupgrade.out/log").read_dir().unwrap().flatten();
    let processes = logs.filter(|log| log.file_name().to_string_lossy().ends_with(".process.log")).count();
    assert_eq!(processes, ran.report["trials"].as_array().unwrap().len(), "each trial has a process");
    assert_eq!(decisions(&env, &ran), decisions(&here.env, &here.ran));
}

#[test]
fn an_order_that_is_none_or_of_another_plan_is_refused_in_one_line() {
    let env = Env::new("lock_only");
    let base = env.git(&["rev-parse", "HEAD"]);
    let refused = |order: &Value| {
        let file = env.world.root.join("order.json");
        std::fs::write(&file, order.to_string()).unwrap();
        let answer = env.world.root.join("answer.json");
        let words =
            ["trial", "--quiet", "--order", file.to_str().unwrap(), "--report", answer.to_str().unwrap(), "--out"];
        let ran = env.run(&[&words[..], &[env.world.root.join("out").to_str().unwrap()]].concat());
        assert_eq!((ran.code, answer.exists()), (2, false), "{}", ran.said());
        ran.stderr.replace(file.to_str().unwrap(), "FILE")
    };
    let told = refused(&json!({ "schema": "cargo-xupgrade/task/9" }));
    assert_eq!(
        told,
        "error: FILE is of the format `cargo-xupgrade/task/9`, and this version reads `cargo-xupgrade/task/1`\n"
    );
    let told = refused(&json!({ "schema": "cargo-xupgrade/task/1" }));
    assert!(told.starts_with("error: FILE is no order for a trial: missing field `base`"), "{told}");
    let Task { ground, as_of, .. } = first_order(&env);
    let stranger = env.plan(&[])["candidates"][0].clone();
    let stranger = json!({ "name": "stranger", "at": "1.0.0" }).as_object().unwrap().iter().fold(
        stranger,
        |mut one, (key, value)| {
            one[key] = value.clone();
            one
        },
    );
    let order = |ground: &Ground| {
        json!({
            "schema": "cargo-xupgrade/task/1", "base": base, "as_of": as_of, "candidates": [stranger],
            "ground": ground, "baseline": { "cells": [], "exercised": {} },
            "order": { "kind": "search", "id": "t1", "atoms": [], "cells": [], "freshness": "cached", "breadth": "whole" },
        })
    };
    let told = refused(&order(&ground));
    assert!(
        told.contains("FILE is about another plan: stranger 1.0.0 of cargo . is not the same candidate here"),
        "{told}"
    );
}

#[test]
fn an_interrupt_ends_the_process_of_a_trial_and_all_that_it_started() {
    let mark = mark();
    let mut env = Env::new("hangs");
    env.set(VARIABLE, &mark);
    let check = "[[check]]\nname = \"test\"\necosystem = \"cargo\"\ncommand = \"cargo test --workspace --locked\"\nlimit = 3600\n";
    env.write("xupgrade.toml", &format!("pass-env = [\"{VARIABLE}\"]\n{check}"));
    let mut run = env.start(&["--executor", "process"]);
    run.wait_for("a trial began", |event| {
        event["event"] == "trial-began" && !event["trial"].as_str().unwrap().starts_with("baseline")
    });
    wait_for(&mark, "/target/debug/deps/");
    run.signal("INT");
    let ran = run.end(&env);
    assert_eq!((ran.code, env.branches()), (130, vec![]), "{}", ran.said());
    assert_none_left(&mark);
}
