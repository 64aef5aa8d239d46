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
use serde_json::{Value, json};

use crate::common::{AS_OF, Env, Ran, TOOL};

#[path = "../cargo-xupgrade/src/engine/executor/conformance.rs"]
mod conformance;

#[test]
fn an_executor_of_processes_keeps_the_promises_of_an_executor() {
    let env = Env::new("lock_only");
    let root = env.world.root.clone();
    let repo = Repo::discover(env.repo()).unwrap();
    let base = repo.base(None).unwrap();
    let worker = Worker::prepare(&repo, &base, &root.join("worker"), 0).unwrap();
    let plan = Plan::of(&base.commit, vec![]);
    let vars: BTreeMap<OsString, OsString> = env.vars().map(|(key, value)| (key.into(), value.into())).collect();
    let mut processes = Processes::new(Means {
        program: TOOL.into(),
        env: vars,
        launcher: Some(Launcher::new(TOOL)),
        repo: env.repo().to_owned(),
        flags: json!({ "selection": {}, "manifest": "needed" }),
        plan: &plan,
        worker: &worker,
        folder: root.join("processes"),
        out: root.join("out"),
        places: 1,
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
    let run = |more: &[&str]| {
        let env = Env::from_archive(ARCHIVE);
        let ran = env.run(&[&["run", "--jobs", "1", "--verify-runs", "1"], more].concat());
        decisions(&env, &ran)
    };
    assert_eq!(run(&["--executor", "process"]), run(&[]));
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
    let stranger = env.plan(&[])["candidates"][0].clone();
    let stranger = json!({ "name": "stranger", "at": "1.0.0" }).as_object().unwrap().iter().fold(
        stranger,
        |mut one, (key, value)| {
            one[key] = value.clone();
            one
        },
    );
    let told = refused(&json!({
        "schema": "cargo-xupgrade/task/1", "base": base, "as_of": AS_OF, "candidates": [stranger],
        "flags": { "selection": {}, "manifest": "needed" }, "baseline": { "cells": [], "exercised": {} },
        "order": { "kind": "search", "id": "t1", "atoms": [], "cells": [], "freshness": "cached", "breadth": "whole" },
    }));
    assert!(
        told.contains("FILE is about another plan: stranger 1.0.0 of cargo . is not the same candidate here"),
        "{told}"
    );
}
