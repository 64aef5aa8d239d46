//! The checks that come of files outside of a plain build, as sentences.

use super::*;
use crate::candidate::EcosystemKind;

/// Files of an imagined answer: the file, its module, whether it is one of tests, the variants by position.
type File<'a> = (&'a str, &'a str, &'a [usize]);

fn outside(variants: &[(&str, &[&str])], files: &[File<'_>]) -> Variants {
    let variant = |(goos, tags): &(&str, &[&str])| Variant {
        goos: (*goos).into(),
        tags: tags.iter().map(|tag| (*tag).to_owned()).collect(),
    };
    let file = |(file, module, variants): &File<'_>| OutsideFile {
        file: (*file).into(),
        dir: file.rsplit_once('/').map_or(".", |(dir, _)| dir).into(),
        test: file.ends_with("_test.go"),
        modules: vec![(*module).into()],
        variants: variants.to_vec(),
        ..OutsideFile::default()
    };
    Variants {
        plain: true,
        variants: variants.iter().map(variant).collect(),
        files: files.iter().map(file).collect(),
        ..Variants::default()
    }
}

fn commands(variants: Variants, candidates: &[&str]) -> Vec<String> {
    let project = Project::of(EcosystemKind::Go, ".", &[]);
    let known = Known { variants, ..Known::default() };
    let checks = usual(&project, &known, &candidates.iter().copied().collect());
    checks.iter().map(|check| format!("{}: {}", check.name, check.typed(&check.argv))).collect()
}

const USUAL: [&str; 3] = ["gate: go vet -framepointer ./...", "build: go install ./...", "test: go test -json ./..."];

#[test]
fn a_module_without_such_files_is_vetted_built_and_tested() {
    assert_eq!(commands(outside(&[], &[]), &["a"]), USUAL);
}

#[test]
fn one_system_covers_what_a_tag_would_cover_too() {
    let both = [("", &["screen"] as &[&str]), ("windows", &[])];
    let files: [File<'_>; 3] =
        [("sys_windows.go", "sys", &[1]), ("x/screen.go", "a", &[0, 1]), ("y.go", "other", &[1])];
    let found = commands(outside(&both, &files), &["sys", "a"]);
    assert_eq!(found[2], "build-windows: CGO_ENABLED=0 GOOS=windows go build -o /dev/null . ./x");
    assert_eq!(found.len(), 4, "{found:?}");
    let found = commands(outside(&both, &files), &["a"]);
    assert_eq!(found[2], "build-screen: go build -o /dev/null -tags=screen ./x");
}

#[test]
fn a_file_of_tests_is_vetted_and_the_tags_of_a_plain_build_stay() {
    let mut variants = outside(&[("", &["e2e"])], &[("e2e/all_test.go", "a", &[0])]);
    variants.tags = vec!["netgo".into()];
    let found = commands(variants, &["a"]);
    assert_eq!(found[2], "vet-e2e: go vet -framepointer -tags=netgo,e2e ./e2e");
}

#[test]
fn nothing_is_built_twice_that_a_user_builds_already_nor_for_what_cannot_move() {
    let mut variants = outside(&[("", &["screen"])], &[("x/screen.go", "a", &[0])]);
    assert_eq!(commands(variants.clone(), &["b"]), USUAL);
    variants.done = 1;
    assert_eq!(commands(variants, &["a"]), USUAL);
}

#[test]
fn what_only_links_and_builds_for_files_outside_wait_for_the_whole_matrix() {
    let variants = outside(&[("", &["screen"])], &[("x/screen.go", "a", &[0])]);
    let known = Known { variants, ..Known::default() };
    let checks = usual(&Project::of(EcosystemKind::Go, ".", &[]), &known, &["a"].into());
    let late: Vec<&str> =
        checks.iter().filter(|check| check.turn == Turn::Final).map(|check| check.name.as_str()).collect();
    assert_eq!(late, ["build", "build-screen"]);
}

#[test]
fn tools_are_built_and_a_module_of_nothing_else_is_not_vetted() {
    let mut variants = outside(&[("", &["tools"])], &[("tools.go", "lint", &[0])]);
    variants.files[0].tools = vec!["lint/cmd/lint".into()];
    variants.plain = false;
    assert_eq!(commands(variants.clone(), &["lint"]), ["tools: go install lint/cmd/lint"]);
    assert_eq!(commands(variants, &["other"]), [""; 0], "none of it can move");
    assert_eq!(commands(Variants::default(), &[]), USUAL, "where nothing is known go says what it thinks of it");
}

#[test]
fn a_plain_module_with_tool_lines_and_a_tools_file_builds_both_at_once() {
    let mut variants = outside(&[("", &["tools"])], &[("tools.go", "lint", &[0])]);
    variants.files[0].tools = vec!["lint/cmd/lint".into()];
    let known = Known { variants, tools: true, ..Known::default() };
    let checks = usual(&Project::of(EcosystemKind::Go, ".", &[]), &known, &["lint"].into());
    assert_eq!(checks[2].argv.join(" "), "go install tool lint/cmd/lint");
}

#[test]
fn a_users_check_counts_as_a_build_only_where_it_builds_every_package() {
    let own = |command: &str, env: &[(&str, &str)]| {
        let project = Project::of(EcosystemKind::Go, ".", &[]);
        let words: Vec<&str> = command.split(' ').collect();
        let env = env.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        Check { env, ..check(&project, &Known::default(), "own", &words) }
    };
    let windows = Variant { goos: "windows".into(), tags: vec!["a".into()] };
    assert_eq!(done(&[own("go vet -tags a ./...", &[("GOOS", "windows")])]), [windows]);
    assert_eq!(done(&[own("go test -tags a ./x/...", &[]), own("make lint", &[])]), []);
    assert_eq!(done(&[own("go vet ./...", &[("GOARCH", "arm64")])]), []);
}

#[test]
fn what_nothing_here_can_compile_says_what_it_wants() {
    let files: [(&str, &str, &[usize]); 3] =
        [("web/js.go", "dom", &[]), ("a_wasm.go", "dom2", &[]), ("l.go", "lost", &[0])];
    let mut variants = outside(&[("windows", &["lost"])], &files);
    variants.files[0].wants = "//go:build js".into();
    let missing = missing(&variants);
    assert!(missing["dom"].contains("web/js.go") && missing["dom"].contains("`//go:build js`"), "{missing:?}");
    assert!(missing["dom2"].contains("by its name"), "{missing:?}");
    assert!(missing["lost"].contains("l.go imports it, and only a build with GOOS=windows -tags=lost"), "{missing:?}");
}

#[test]
fn beside_the_packages_of_a_plain_build_those_of_each_check_are_downloaded() {
    let project = Project::of(EcosystemKind::Go, ".", &[]);
    let variants = outside(&[("windows", &["a"])], &[("x/s.go", "a", &[0])]);
    let checks = usual(&project, &Known { variants, ..Known::default() }, &["a"].into());
    let loads = loads(Path::new("/clone"), &project, &checks.iter().collect::<Vec<_>>()).unwrap();
    assert_eq!(loads.len(), 1, "{loads:?}");
    let env: Vec<&str> = loads[0].env.keys().map(String::as_str).collect();
    assert_eq!(
        (env, &loads[0].tags, &loads[0].patterns),
        (vec!["CGO_ENABLED", "GOOS"], &vec!["a".into()], &vec!["./x".into()])
    );
}
