//! Workspaces of Go modules: go.work.sum is a lockfile, and a commit brings what its upgrade makes necessary there.

use crate::common::{Env, Ran, Shared, shared, text};

/// The files that cells undid.
fn undone(ran: &Ran) -> Vec<String> {
    let cells = ran.report["trials"].as_array().unwrap().iter().flat_map(|trial| trial["cells"].as_array().unwrap());
    cells.flat_map(|cell| cell["dirtied"].as_array().into_iter().flatten()).map(ToString::to_string).collect()
}

fn changed(env: &Env, ran: &Ran) -> String {
    env.git(&["diff", "--name-only", "main", text(&ran.report, "tip")])
}

#[test]
fn hashes_that_only_the_workspace_needs_are_in_the_commit_of_their_raise() {
    let Shared { env, ran, .. } = shared("go_work_sums", &[]);
    assert_eq!(ran.upgrades(), ["demo.test/two v1.0.0 -> v1.1.0"], "{}", ran.said());
    assert_eq!(changed(env, ran), "app/go.mod\napp/go.sum\ngo.work.sum");
    let sums = env.git(&["show", &format!("{}:go.work.sum", text(&ran.report, "tip"))]);
    let named: Vec<&str> = sums.lines().filter_map(|line| line.split_once(" h1:")).map(|one| one.0).collect();
    assert_eq!(named, ["demo.test/text v1.2.0", "demo.test/text v1.2.0/go.mod"]);
    assert_eq!(undone(ran), [""; 0]);
}

#[test]
fn where_no_checksum_database_can_be_reached_the_branch_builds_as_the_base_did() {
    let Shared { env, ran, .. } = shared("go_work_sums", &[]);
    let folder = env.world.root.join("without-database");
    let place = folder.to_str().unwrap();
    env.git(&["clone", "--quiet", "--shared", env.repo().to_str().unwrap(), place]);
    let vets = |commit: &str, forgotten: &str| {
        env.git(&["-C", place, "checkout", "--quiet", "--force", "--detach", commit]);
        let _ = std::fs::remove_file(folder.join(forgotten));
        let mut go = env.command("go");
        go.args(["vet", "./..."]).current_dir(folder.join("lib"));
        let output = go.env("GOSUMDB", "sum.golang.org http://127.0.0.1:1").output().unwrap();
        (output.status.success(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    let tip = text(&ran.report, "tip");
    for (commit, forgotten, expected) in [("main", "", true), (tip, "", true), (tip, "go.work.sum", false)] {
        let (passed, said) = vets(commit, forgotten);
        assert_eq!(passed, expected, "{commit} without `{forgotten}`: {said}");
    }
}

#[test]
fn no_line_of_a_go_work_sum_is_lost_and_one_that_git_ignores_is_not_written() {
    let env = Env::new("go_work_sums");
    // The second one is in lib/go.sum, too, and the go command drops such lines.
    let other = "demo.test/other v1.0.0 h1:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa=";
    let sums = std::fs::read_to_string(env.repo().join("lib/go.sum")).unwrap();
    let double = sums.lines().next().unwrap();
    env.write("go.work.sum", &format!("{other}\n{double}\n")).commit();
    let ran = env.run(&[]);
    assert_eq!(ran.upgrades(), ["demo.test/two v1.0.0 -> v1.1.0"], "{}", ran.said());
    let diff = env.git(&["diff", "--numstat", "main", text(&ran.report, "tip"), "--", "go.work.sum"]);
    assert_eq!(diff, "2\t0\tgo.work.sum");

    let env = Env::new("go_work_sums");
    env.write(".gitignore", "*.work.sum\n").commit();
    let ran = env.run(&[]);
    assert_eq!(ran.upgrades(), ["demo.test/two v1.0.0 -> v1.1.0"], "{}", ran.said());
    assert_eq!(changed(&env, &ran), "app/go.mod\napp/go.sum");
}

#[test]
fn a_member_that_leans_on_a_sibling_which_nobody_published_is_held_before_any_trial() {
    // Its base is not whole outside of the workspace, and so is no commit: the stage would complain of each.
    let ran = Env::new("go_unpublished_siblings").run(&[]);
    assert_eq!(ran.upgrades(), ["demo.test/fine v1.0.0 -> v1.1.0"], "{}", ran.said());
    let held: Vec<_> =
        ran.report["held"].as_array().unwrap().iter().filter(|one| one["name"] == "demo.test/gen").collect();
    assert_eq!(held.len(), 2, "{}", ran.said());
    for (one, member) in held.iter().zip(["app", "svc"]) {
        assert_eq!((text(one, "project"), text(&one["reason"], "kind")), (member, "resolve_refused"));
        let words = text(&one["reason"], "text");
        assert!(words.contains("`go mod edit -replace=demo.test/lib=../lib` and `go mod tidy`"), "{words}");
    }
    let tried: Vec<_> =
        ran.report["trials"].as_array().unwrap().iter().map(|trial| trial["atoms"].to_string()).collect();
    assert!(tried.iter().any(|atoms| atoms.contains("demo.test/fine")), "{tried:?}");
    assert!(!tried.iter().any(|atoms| atoms.contains("demo.test/gen")), "{tried:?}");
}
