//! The public JSON: events, plan and report are what the published schemas say, and the schemas say no more.

use jsonschema::Validator;
use serde::Deserialize as _;
use serde_json::Value;

use crate::common::{AS_OF, Env, shared, text};

fn schema(name: &str) -> Value {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("schema/{name}.schema.json"));
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

pub fn assert_valid(name: &str, value: &Value) {
    let schema = schema(name);
    jsonschema::meta::validate(&schema).expect("the schema is a schema");
    let validator: Validator = jsonschema::validator_for(&schema).unwrap();
    let errors: Vec<String> =
        validator.iter_errors(value).map(|error| format!("{}: {error}", error.instance_path())).collect();
    assert!(errors.is_empty(), "{errors:#?}\n{value:#}");
}

#[test]
fn reports_of_all_kinds_of_ends_fit_the_schema() {
    for fixture in
        ["breaks_build", "breaks_test_lands_lower", "red_everywhere", "noise", "manifest_edit", "mixed", "broken_toml"]
    {
        assert_valid("report", &shared(fixture, &[]).ran.report);
    }
}

#[test]
fn plans_fit_the_schema() {
    for fixture in ["breaking_asked", "not_exercised", "mixed", "broken_toml", "transitive_yanked"] {
        assert_valid("plan", &Env::new(fixture).plan(&[]));
    }
    let with_cooldown = Env::new("lock_only").plan(&["--min-age", "1"]);
    assert_valid("plan", &with_cooldown);
    let known = &schema("plan")["$defs"]["cooldown"]["properties"];
    for key in with_cooldown["cooldowns"][0].as_object().unwrap().keys() {
        assert!(known.get(key).is_some(), "`{key}` of a cooldown is not in the schema");
    }
}

#[test]
fn the_plan_on_disk_is_the_plan_that_was_shown() {
    let run = shared("breaks_build", &[]);
    let plan = std::fs::read_to_string(run.env.repo().join("xupgrade.out/plan.json")).unwrap();
    let plan: Value = serde_json::from_str(&plan).unwrap();
    assert_valid("plan", &plan);
    let shown = Env::new("breaks_build").json(&["plan", "--format", "json", "--as-of", text(&plan, "as_of")]);
    assert_eq!(plan, shown);
}

#[test]
fn a_schema_that_forbids_nothing_would_show_here() {
    let report = shared("breaks_build", &[]).ran.report.clone();
    let validator = jsonschema::validator_for(&schema("report")).unwrap();
    let broken = |change: &dyn Fn(&mut Value)| {
        let mut report = report.clone();
        change(&mut report);
        assert!(!validator.is_valid(&report), "accepted: {report:#}");
    };
    broken(&|report| report["held"][0]["reason"]["kind"] = "because".into());
    broken(&|report| report["trials"][0]["verdict"] = "perhaps".into());
    broken(&|report| report["upgrades"][0]["level"] = "breaking".into());
    broken(&|report| report["base"] = "main".into());
    broken(&|report| {
        report.as_object_mut().unwrap().remove("newest");
    });
}

#[test]
fn the_list_of_what_cannot_be_replayed_is_the_same_in_code_and_schema() {
    use cargo_xupgrade::policy::Gap;
    let error = Gap::deserialize(&Value::from("no such gap")).unwrap_err().to_string();
    let known: Vec<&str> = error.split('`').skip(3).step_by(2).collect();
    assert_eq!(schema("plan")["$defs"]["not_replayable"]["properties"]["kind"]["enum"], Value::from(known), "{error}");
}

#[test]
fn the_closed_list_of_reasons_is_the_same_in_code_and_schemas() {
    use cargo_xupgrade::candidate::ReasonKind;
    // Serde names every variant that it knows when it meets one that it does not.
    let error = ReasonKind::deserialize(&Value::from("no such reason")).unwrap_err().to_string();
    let known: Vec<&str> = error.split('`').skip(3).step_by(2).collect();
    assert!(known.len() > 20, "{error}");
    for name in ["report", "plan"] {
        let listed = schema(name)["$defs"]["reason_kind"]["enum"].clone();
        assert_eq!(listed, Value::from(known.clone()), "{name}.schema.json");
    }
}

#[test]
fn the_closed_list_of_why_a_trial_was_chosen_is_the_same_in_code_and_schema() {
    let error = cargo_xupgrade::why::Why::deserialize(&Value::from("no such why")).unwrap_err().to_string();
    let known: Vec<&str> = error.split('`').skip(3).step_by(2).collect();
    assert_eq!(schema("report")["$defs"]["trial"]["properties"]["why"]["enum"], Value::from(known), "{error}");
}

#[test]
fn the_closed_list_of_what_a_commit_passed_is_the_same_in_code_and_schema() {
    let error = cargo_xupgrade::report::Verified::deserialize(&Value::from("no such proof")).unwrap_err().to_string();
    let known: Vec<&str> = error.split('`').skip(3).step_by(2).collect();
    let listed = &schema("report")["$defs"]["branch_commit"]["properties"]["verified"]["enum"];
    assert_eq!(*listed, Value::from(known), "{error}");
}

#[test]
fn every_field_of_a_report_is_in_the_schema() {
    let schema = schema("report");
    let report = &shared("breaks_test_lands_lower", &[]).ran.report;
    let check = |value: &Value, known: &Value, what: &str| {
        for key in value.as_object().unwrap().keys() {
            assert!(known["properties"].get(key).is_some(), "`{key}` of {what} is not in the schema");
        }
    };
    check(report, &schema, "the report");
    check(&report["upgrades"][0], &schema["$defs"]["upgrade"], "an upgrade");
    for trial in report["trials"].as_array().unwrap() {
        check(trial, &schema["$defs"]["trial"], "a trial");
    }
    check(&report["commit_trials"], &schema["properties"]["commit_trials"], "the trials of commits");
    check(&report["commits"][0], &schema["$defs"]["branch_commit"], "a commit");
    check(&report["trials"][0]["cells"][0], &schema["$defs"]["cell"], "a cell");
    check(&report["upgrades"][0]["failed_above"][0], &schema["$defs"]["held"], "a held one");
}

#[test]
fn events_are_one_json_object_a_line_and_the_last_one_is_the_report() {
    let env = Env::new("breaks_build");
    let ran = env.run(&["--format", "json"]);
    assert_eq!(ran.code, 0, "{}", ran.said());
    let events: Vec<Value> =
        ran.stdout.lines().map(|line| serde_json::from_str(line).expect("each line is JSON")).collect();
    let kinds: Vec<&str> = events.iter().map(|event| text(event, "event")).collect();
    assert_eq!(kinds[0], "opened", "a first line before anything takes time: {kinds:?}");
    assert_eq!(kinds.last(), Some(&"finished"), "{kinds:?}");
    assert_eq!(events.last().unwrap()["report"], ran.report);
    for kind in ["plan-ready", "baseline-done", "said", "trial-began", "cell-began", "cell-ended", "trial-ended"] {
        assert!(kinds.contains(&kind), "no {kind} in {kinds:?}");
    }
    let count = |kind: &str| kinds.iter().filter(|one| **one == kind).count();
    assert_eq!(count("trial-began"), count("trial-ended"));
    assert_eq!(count("cell-began"), count("cell-ended"));
}

#[test]
fn a_dry_run_in_json_is_the_plan() {
    let env = Env::new("lock_only");
    let plan = env.json(&["--dry-run", "--format", "json", "--as-of", AS_OF]);
    assert_valid("plan", &plan);
}
