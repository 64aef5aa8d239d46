//! What narrowing must do, as sentences.

use super::*;

fn cell(reader: Reader, command: &str) -> Cell {
    let usual = Cell::of("test", Phase::Test);
    let argv = command.split(' ').map(str::to_owned).collect();
    Cell { check: Check { argv, reader, ..usual.check.clone() }, concerns: ["cargo .".into()].into(), ..usual }
}

const USUAL: &str = "cargo test --workspace --locked --no-fail-fast";

fn set(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

fn test(unit: &str, name: &str) -> TestName {
    TestName { unit: unit.into(), name: name.into() }
}

fn units() -> BTreeMap<String, Vec<String>> {
    let words = |words: &str| words.split(' ').map(str::to_owned).collect();
    BTreeMap::from([
        ("app src/lib.rs".to_owned(), words("--lib")),
        ("app tests/it.rs".to_owned(), words("--test it")),
        ("app doc".to_owned(), words("--doc")),
    ])
}

fn commands(cells: Option<Vec<Cell>>) -> Vec<String> {
    cells.into_iter().flatten().map(|cell| cell.check.argv.join(" ")).collect()
}

fn by_tests(cell: &Cell, tests: &[TestName]) -> Vec<String> {
    commands(narrow(cell, &Extent::Tests(tests.iter().cloned().collect()), &units()))
}

#[test]
fn cargo_runs_tests_by_their_target_and_exact_name() {
    let tests = [test("app src/lib.rs", "tests::a"), test("app tests/it.rs", "b")];
    let all = "cargo test --workspace --locked --no-fail-fast --lib --test it -- --exact b tests::a";
    assert_eq!(by_tests(&cell(Reader::Libtest, USUAL), &tests), [all]);
}

#[test]
fn cargo_runs_units_of_tests_by_their_target_and_go_by_their_package() {
    let of = |reader, command: &str, names: &[&str]| {
        commands(narrow(&cell(reader, command), &Extent::Units(set(names)), &units()))
    };
    let both = of(Reader::Libtest, USUAL, &["app src/lib.rs", "app tests/it.rs"]);
    assert_eq!(both, ["cargo test --workspace --locked --no-fail-fast --lib --test it"]);
    assert!(of(Reader::Libtest, USUAL, &["app examples/odd.rs"]).is_empty(), "nothing selects it");
    assert_eq!(of(Reader::GoTest, "go test -json -race ./pkg/...", &["m/pkg/a"]), ["go test -json -race m/pkg/a"]);
    assert!(
        of(Reader::GoTest, "go test -json ./x_test.go", &["command-line-arguments"]).is_empty(),
        "files have no path"
    );
    assert!(of(Reader::Plain, "make test", &["app src/lib.rs"]).is_empty());
}

#[test]
fn tests_of_a_cell_of_some_units_run_by_name_as_those_of_the_whole_one() {
    let narrowed = |reader, command: &str, unit: &str, name: &str| {
        let part = narrow(&cell(reader, command), &Extent::Units(set(&[unit])), &units()).unwrap().remove(0);
        (by_tests(&part, &[test(unit, name)]), by_tests(&cell(reader, command), &[test(unit, name)]))
    };
    let (of_part, of_whole) = narrowed(Reader::Libtest, USUAL, "app tests/it.rs", "b");
    assert_eq!(of_part, of_whole);
    let (of_part, of_whole) = narrowed(Reader::GoTest, "go test -json ./...", "m/a", "TestA");
    assert_eq!(of_part, of_whole);
}

#[test]
fn documentation_tests_have_a_command_of_their_own_and_keep_no_filter() {
    let tests = [test("app doc", "src/lib.rs - f (line 3)"), test("app src/lib.rs", "a")];
    let lib = "cargo test --workspace --locked --no-fail-fast --lib -- --exact a";
    let doc = "cargo test --workspace --locked --no-fail-fast --doc";
    assert_eq!(by_tests(&cell(Reader::Libtest, USUAL), &tests), [lib, doc]);
}

#[test]
fn a_test_of_a_unit_that_nothing_selects_leaves_the_cell_whole() {
    assert!(by_tests(&cell(Reader::Libtest, USUAL), &[test("app examples/odd.rs", "a")]).is_empty());
}

#[test]
fn a_command_of_an_unknown_shape_stays_whole() {
    let odd =
        ["cargo test -- --test-threads 1", "cargo test --lib", "cargo xtask test", "cargo test name", "make test"];
    for command in odd {
        assert!(by_tests(&cell(Reader::Libtest, command), &[test("app src/lib.rs", "a")]).is_empty(), "{command}");
    }
    let known = "cargo +nightly test --features x --target=y";
    let narrowed = format!("{known} --lib -- --exact a");
    assert_eq!(by_tests(&cell(Reader::Libtest, known), &[test("app src/lib.rs", "a")]), [narrowed]);
    for command in ["go test -run Foo ./...", "go test -args ./...", "go test -timeout 5m ./...", "sh -c true"] {
        assert!(by_tests(&cell(Reader::GoTest, command), &[test("m/a", "TestA")]).is_empty(), "{command}");
    }
    assert!(by_tests(&cell(Reader::Plain, USUAL), &[test("app src/lib.rs", "a")]).is_empty());
}

#[test]
fn go_runs_the_tests_of_one_package_at_a_time_and_a_subtest_by_its_test() {
    let tests = [test("m/a", "TestA/one"), test("m/a", "TestA"), test("m/a", "TestB"), test("m/b", "TestA")];
    let cell = cell(Reader::GoTest, "go test -json -tags=x ./...");
    let expected = ["go test -json -tags=x -run=^(TestA|TestB)$ m/a", "go test -json -tags=x -run=^(TestA)$ m/b"];
    assert_eq!(by_tests(&cell, &tests), expected);
    let narrowed = narrow(&cell, &Extent::Tests(tests.into()), &units()).unwrap();
    assert_eq!(narrowed[0].extent, Extent::Tests([test("m/a", "TestA"), test("m/a", "TestB")].into()));
    assert_eq!(narrowed[0].key(), cell.key(), "the baseline is found by the key of the whole cell");
}

fn by_packages(cell: &Cell, packages: &[&str]) -> Vec<String> {
    commands(narrow(cell, &Extent::Packages(set(packages)), &BTreeMap::new()))
}

#[test]
fn packages_take_the_place_of_all_packages() {
    assert_eq!(
        by_packages(&cell(Reader::Libtest, USUAL), &["a", "b"]),
        ["cargo test -p a -p b --locked --no-fail-fast"]
    );
    let go = cell(Reader::GoTest, "go test -json ./...");
    assert_eq!(by_packages(&go, &["m", "m/a"]), ["go test -json m m/a"]);
}

#[test]
fn a_cell_that_is_narrowed_to_packages_can_be_narrowed_to_tests() {
    let again = |reader, command, test: TestName| {
        let whole = cell(reader, command);
        let packages = Extent::Packages(set(&["app", "m/a"]));
        let narrowed = narrow(&whole, &packages, &BTreeMap::new()).unwrap().remove(0);
        by_tests(&narrowed, &[test])
    };
    let cargo = again(Reader::Libtest, USUAL, test("app src/lib.rs", "a"));
    assert_eq!(cargo, ["cargo test -p app -p m/a --locked --no-fail-fast --lib -- --exact a"]);
    let go = again(Reader::GoTest, "go test -json ./...", test("m/a", "TestA"));
    assert_eq!(go, ["go test -json -run=^(TestA)$ m/a"]);
}

#[test]
fn a_choice_of_packages_or_features_by_the_user_stays() {
    for command in
        ["cargo test", "cargo test -p a", "cargo test --workspace -F x", "cargo test --workspace --exclude b"]
    {
        assert!(by_packages(&cell(Reader::Libtest, command), &["a"]).is_empty(), "{command}");
    }
    assert!(by_packages(&cell(Reader::GoTest, "go test -json ./a/..."), &["m/a"]).is_empty());
}

/// A workspace of `my-app` on `x` and `y`, `tool` on `y`.
fn exercised() -> BTreeMap<ProjectId, Exercised> {
    let below = [("my-app", vec!["x", "y"]), ("my_app", vec!["x", "y"]), ("tool", vec!["y"])];
    let known = Exercised {
        below: below.into_iter().map(|(unit, names)| (unit.to_owned(), set(&names))).collect(),
        alone: set(&["my-app", "tool"]),
        ..Exercised::default()
    };
    BTreeMap::from([("cargo .".into(), known)])
}

fn targeted(
    exercised: &BTreeMap<ProjectId, Exercised>,
    moved: &[(&str, &[&str], &[&str])],
    ran: &[TestName],
) -> Extent {
    let cell = cell(Reader::Libtest, USUAL);
    let moved = moved.iter().map(|(project, own, names)| {
        ((*project).into(), Moved { own: set(own), names: own.iter().chain(*names).map(ToString::to_string).collect() })
    });
    let ran = BTreeMap::from([(cell.key(), ran.to_vec())]);
    let mut cells = target(&[cell], exercised, &moved.collect(), &ran);
    assert_eq!(cells.len(), 1);
    cells.remove(0).extent
}

fn both() -> [TestName; 3] {
    [test("my-app src/lib.rs", "a"), test("my_app doc", "b"), test("tool src/main.rs", "c")]
}

#[test]
fn tests_are_narrowed_to_the_packages_that_stand_on_what_moved() {
    let of = |moved| targeted(&exercised(), moved, &both());
    assert_eq!(of(&[("cargo .", &["x"], &[])]), Extent::Packages(set(&["my-app"])));
    assert_eq!(of(&[("cargo .", &["x"], &["new"])]), Extent::Packages(set(&["my-app"])), "what is new hangs on x");
    assert_eq!(of(&[("cargo .", &["y"], &[])]), Extent::Whole, "all of them do");
}

#[test]
fn what_moved_along_counts_as_well() {
    assert_eq!(targeted(&exercised(), &[("cargo .", &["x", "y"], &[])], &both()), Extent::Whole);
}

#[test]
fn where_nobody_stands_on_it_or_nothing_is_known_everything_runs() {
    let whole = |moved| assert_eq!(targeted(&exercised(), moved, &both()), Extent::Whole);
    whole(&[]);
    whole(&[("cargo .", &["unknown"], &[])]);
    whole(&[("cargo .", &["x", "unknown"], &[])]);
    assert_eq!(targeted(&BTreeMap::new(), &[("cargo .", &["x"], &[])], &both()), Extent::Whole);
    let untested = &both()[2..];
    assert_eq!(targeted(&exercised(), &[("cargo .", &["x"], &[])], untested), Extent::Whole, "it would run no test");
}

#[test]
fn a_package_that_is_built_otherwise_alone_is_not_tested_alone() {
    let mut known = exercised();
    known.get_mut(&"cargo .".into()).unwrap().alone = set(&["tool"]);
    assert_eq!(targeted(&known, &[("cargo .", &["x"], &[])], &both()), Extent::Whole);
}

#[test]
fn a_gate_and_a_check_that_looks_beyond_its_project_stay_whole() {
    let ran = |cell: &Cell| BTreeMap::from([(cell.key(), both().to_vec())]);
    let moved = BTreeMap::from([("cargo .".into(), Moved { names: set(&["x"]), own: set(&["x"]) })]);
    let usual = cell(Reader::Libtest, USUAL);
    let mut gate = usual.clone();
    gate.check.phase = Phase::Gate;
    let mut wide = usual.clone();
    wide.concerns.insert("go svc".into());
    for cell in [gate, wide] {
        let ran = ran(&cell);
        assert_eq!(target(std::slice::from_ref(&cell), &exercised(), &moved, &ran), [cell]);
    }
}

#[test]
fn an_upgrade_counts_with_what_moved_and_with_what_uses_another_version_now() {
    let one = |name: &str, from: Option<&str>| crate::project::Move {
        ecosystem: crate::candidate::EcosystemKind::Cargo,
        name: name.into(),
        from: from.map(str::to_owned),
        to: Some("1".into()),
        lockfile: None,
    };
    let also_moved = vec![one("along", Some("0")), one("new", None)];
    let mut moved = Moved::default();
    moved.add("x", Some(&Applied { also_moved, rewired: vec!["user".into()], ..Applied::default() }));
    assert_eq!(moved.own, set(&["x", "along", "user"]));
    assert_eq!(moved.names, set(&["x", "along", "user", "new"]));
}
