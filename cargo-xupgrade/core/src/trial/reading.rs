//! What the output of a check says: test names, compiled packages, telling lines, signs of noise.
//! Line by line, so that a gigabyte of output needs no memory; every parser forgives what it does not know.

mod target;
mod unit;

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use anstream::adapter::strip_str;
use serde_json::Value;

use super::{Build, Executable, Reader, Reading, TestEnd, TestName};
use crate::candidate::{Target, Version};
use crate::phrases::{self, cargo, go, libtest, rustc, system};
pub use target::selector_of;
pub use unit::name_units;
use unit::running_unit;

/// How many telling lines are kept.
const TELLING: usize = 12;
/// A line longer than this is cut for people.
const LINE: usize = 300;

/// Reads one cell's output, line by line.
#[derive(Debug)]
pub struct Lines {
    reader: Reader,
    found: Reading,
    unit: String,
    /// A test that began and did not end yet.
    begun: Option<String>,
    /// Units of tests that failed, with the words to run each again.
    failed: BTreeMap<String, String>,
    killed: BTreeSet<String>,
    panic_left: usize,
    /// What Go tests that run at the moment wrote, by package and test: told only of those that fail.
    waiting: BTreeMap<(String, String), Vec<String>>,
}

impl Lines {
    /// A reader for one kind of output.
    #[must_use]
    pub fn new(reader: Reader) -> Self {
        Self {
            reader,
            found: Reading::default(),
            unit: String::new(),
            begun: None,
            failed: BTreeMap::new(),
            killed: BTreeSet::new(),
            panic_left: 0,
            waiting: BTreeMap::new(),
        }
    }

    /// Takes one line; its colours say nothing.
    pub fn line(&mut self, line: &str) {
        let line = &*plain(line);
        match self.reader {
            Reader::CargoMessages => self.cargo_message(line),
            Reader::Libtest => self.libtest(line),
            Reader::GoTest => self.go_test(line),
            Reader::Plain => {}
        }
        self.common(line);
    }

    /// The end of the output.
    #[must_use]
    pub fn finish(mut self) -> Reading {
        // Tests without an end were cut off by it.
        for lines in std::mem::take(&mut self.waiting).into_values() {
            for line in &lines {
                self.tell(line);
            }
        }
        let failed = std::mem::take(&mut self.failed);
        let red = |unit: &str| self.found.tests.iter().any(|(name, end)| name.unit == unit && *end == TestEnd::Failed);
        self.found.bare = failed.into_iter().filter(|(unit, _)| self.killed.contains(unit) || !red(unit)).collect();
        self.found
    }

    fn tell(&mut self, line: &str) {
        let line = line.trim_end();
        if !line.is_empty() && self.found.telling.len() < TELLING {
            self.found.telling.push(line.chars().take(LINE).collect());
        }
    }

    fn common(&mut self, line: &str) {
        if self.found.noise.is_none() {
            self.found.noise = system::noise(line).map(str::to_owned);
        }
        if self.reader == Reader::Plain && phrases::is_alarm(line) {
            self.tell(line);
        }
    }

    fn cargo_message(&mut self, line: &str) {
        if line.starts_with('{') {
            if let Ok(message) = serde_json::from_str::<Value>(line) {
                self.artifact(&message);
            }
            return;
        }
        if cargo::is_error(line) {
            self.found.build_failed = Build::Failed;
            self.found.unbuilt.extend(cargo::unbuilt(line));
            self.tell(line);
        } else if self.found.build_failed == Build::Failed && rustc::is_place(line) {
            self.tell(line);
        } else if rustc::tells_of_copies(line) {
            self.tell(line.trim_start());
        } else if libtest::is_panic(line) {
            // A build script that gives up says why in the line behind this one.
            self.panic_left = 1;
            self.tell(line);
        } else if self.panic_left > 0 {
            self.panic_left -= 1;
            self.tell(line);
        }
    }

    /// A `compiler-artifact` message (the Cargo book, "External tools"): what was compiled, `fresh` or not.
    fn artifact(&mut self, message: &Value) {
        if message["reason"] != "compiler-artifact" {
            return;
        }
        let id = message["package_id"].as_str().unwrap_or_default();
        let Some((name, version)) = target::package_of(id) else { return };
        self.found.built.extend(target::built(message));
        if let Some(stem) = message["executable"].as_str().and_then(file_stem) {
            let executable = Executable { package: name.clone(), select: target::selector(&message["target"]) };
            self.found.executables.insert(stem.to_owned(), executable);
        }
        self.found.compiled.extend(Version::parse(&version).map(|version| Target::new(name, version)));
    }

    fn libtest(&mut self, line: &str) {
        let trimmed = line.trim();
        if let Some(rest) = cargo::running(trimmed) {
            self.unit = running_unit(rest);
        } else if let Some(name) = cargo::doc_tests(trimmed) {
            self.unit = format!("{name} doc");
        } else if let Some((name, end)) = libtest::ended(trimmed) {
            self.test(name, end_of(end));
        } else if let Some(millis) = libtest::finished_in(trimmed) {
            *self.found.millis.entry(self.unit.clone()).or_default() += millis;
        } else if let Some(name) = libtest::begun(trimmed) {
            self.begun = Some(name.to_owned());
        } else if let (Some(name), Some(end)) = (&self.begun, libtest::end(trimmed)) {
            let name = name.clone();
            self.test(&name, end_of(end));
        } else {
            self.libtest_failure(line);
        }
    }

    fn libtest_failure(&mut self, line: &str) {
        if rustc::is_error(line) || cargo::not_compiled(line).is_some() {
            self.found.build_failed = Build::Failed;
            self.tell(line);
        } else if cargo::is_error(line) {
            if cargo::is_failed_unit(line) {
                self.failed.insert(self.unit.clone(), line.to_owned());
            }
            self.tell(line);
        } else if cargo::is_cause(line) && self.failed.contains_key(&self.unit) {
            self.killed.insert(self.unit.clone());
        } else if libtest::is_panic_of_thread(line) {
            self.panic_left = 3;
            self.tell(line);
        } else if self.panic_left > 0 {
            self.panic_left -= 1;
            self.tell(line);
        }
    }

    fn test(&mut self, name: &str, end: TestEnd) {
        self.begun = None;
        let name = TestName { unit: self.unit.clone(), name: name.to_owned() };
        self.found.tests.insert(name, end);
    }

    /// An event of `go test -json` (package `test2json`) or of `go build -json` within it.
    fn go_test(&mut self, line: &str) {
        let Ok(event) = serde_json::from_str::<Value>(line) else {
            if go::is_complaint(line) {
                self.tell(line);
            }
            return;
        };
        let output = plain(event["Output"].as_str().unwrap_or_default());
        match event["Action"].as_str().unwrap_or_default() {
            "build-fail" => self.found.build_failed = Build::Failed,
            "build-output" => self.tell(&output),
            "output" => self.go_output(&event, &output),
            "pass" => self.go_end(&event, TestEnd::Passed),
            "skip" => self.go_end(&event, TestEnd::Skipped),
            "fail" => self.go_end(&event, TestEnd::Failed),
            _ => {}
        }
    }

    fn go_output(&mut self, event: &Value, output: &str) {
        if !go::is_test_failure(output) {
            return;
        }
        match go_test_of(event) {
            Some(test) => {
                let lines = self.waiting.entry(test).or_default();
                if lines.len() < TELLING {
                    lines.push(output.to_owned());
                }
            }
            None => self.tell(output),
        }
    }

    fn go_end(&mut self, event: &Value, end: TestEnd) {
        let package = event["Package"].as_str().unwrap_or_default();
        if !event["FailedBuild"].is_null() {
            self.found.build_failed = Build::Failed;
        }
        let Some(test) = event["Test"].as_str() else {
            if end == TestEnd::Failed {
                self.failed.insert(package.to_owned(), String::new());
            }
            self.found.millis.extend(elapsed(event).map(|millis| (package.to_owned(), millis)));
            return;
        };
        let lines = go_test_of(event).and_then(|test| self.waiting.remove(&test)).unwrap_or_default();
        if end == TestEnd::Failed {
            for line in &lines {
                self.tell(line);
            }
        }
        let name = TestName { unit: package.to_owned(), name: test.to_owned() };
        self.found.tests.insert(name, end);
    }
}

/// A log as people read it: the words that machine-readable lines carry, and nothing of the rest of them.
#[must_use]
pub fn for_people(reader: Reader, log: &str) -> String {
    let mut text = String::with_capacity(log.len());
    for line in log.lines() {
        match (reader, line.starts_with('{')) {
            (Reader::CargoMessages, true) => {}
            (Reader::GoTest, true) => match serde_json::from_str::<Value>(line) {
                Ok(event) => text.push_str(event["Output"].as_str().unwrap_or_default()),
                Err(_) => text.push_str(line),
            },
            _ => {
                text.push_str(line);
                text.push('\n');
            }
        }
    }
    text
}

/// A text without the escape sequences that give it colours.
fn plain(text: &str) -> Cow<'_, str> {
    if text.contains('\x1b') { Cow::Owned(strip_str(text).to_string()) } else { Cow::Borrowed(text) }
}

fn end_of(end: libtest::End) -> TestEnd {
    match end {
        libtest::End::Ok => TestEnd::Passed,
        libtest::End::Failed => TestEnd::Failed,
        libtest::End::Ignored => TestEnd::Skipped,
    }
}

fn file_stem(path: &str) -> Option<&str> {
    std::path::Path::new(path).file_stem()?.to_str()
}

/// The milliseconds that an event of `go test -json` states, which are seconds there.
fn elapsed(event: &Value) -> Option<u64> {
    let millis = event["Elapsed"].as_f64()? * 1000.0;
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "rounded; a cast saturates at 0 and at the top"
    )]
    let whole = millis.round() as u64;
    Some(whole)
}

/// The package and the test that an event of `go test -json` speaks of.
fn go_test_of(event: &Value) -> Option<(String, String)> {
    Some((event["Package"].as_str()?.to_owned(), event["Test"].as_str()?.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(reader: Reader, text: &str) -> Reading {
        let mut lines = Lines::new(reader);
        text.lines().for_each(|line| lines.line(line));
        lines.finish()
    }

    fn names(reading: &Reading, end: TestEnd) -> Vec<String> {
        reading.tests.iter().filter(|(_, one)| **one == end).map(|(name, _)| name.to_string()).collect()
    }

    const LIBTEST: &str = "     Running unittests src/lib.rs (target/debug/deps/app-0123456789abcdef)\n\
        running 3 tests\n\
        test tests::adds ... ok\n\
        test tests::fails ... FAILED\n\
        test tests::slow ... ignored, takes long\n\
        thread 'tests::fails' panicked at src/lib.rs:3:5:\n\
        assertion failed\n\
        test result: FAILED. 1 passed; 1 failed; 1 ignored; 0 measured; 0 filtered out; finished in 1.25s\n\
        \x20  Doc-tests app\n\
        test src/lib.rs - f (line 3) ... ok\n";

    #[test]
    fn libtest_lines_become_tests_named_by_package_and_source() {
        let mut reading = read(Reader::Libtest, LIBTEST);
        let executable = Executable { package: "my-app".into(), select: vec!["--lib".into()] };
        let executables = [("app-0123456789abcdef".to_owned(), executable)].into();
        name_units(&mut reading, &executables);
        assert_eq!(reading.units["my-app src/lib.rs"], ["--lib"]);
        assert_eq!(reading.units["app doc"], ["--doc"]);
        assert_eq!(reading.millis, [("my-app src/lib.rs".to_owned(), 1250)].into());
        assert_eq!(
            names(&reading, TestEnd::Passed),
            ["app doc src/lib.rs - f (line 3)", "my-app src/lib.rs tests::adds"]
        );
        assert_eq!(names(&reading, TestEnd::Failed), ["my-app src/lib.rs tests::fails"]);
        assert_eq!(reading.ran(), 3);
        assert!(reading.telling.iter().any(|line| line.contains("assertion failed")));
    }

    #[test]
    fn units_that_fail_without_a_red_test_or_are_killed_are_bare() {
        let run = |name: &str, end: &str| format!("     Running tests/{name}.rs (target/debug/deps/{name}-01)\n{end}");
        let failed = "error: test failed, to rerun pass `--test x`\n";
        let killed = format!("test a ... FAILED\n{failed}\nCaused by:\n  (signal: 6)\n");
        let red = format!("test b ... FAILED\n{failed}");
        let mut reading = read(
            Reader::Libtest,
            &[run("own", failed), run("dead", &killed), run("red", &red), run("other", failed)].concat(),
        );
        let program = |name: &str, select: &str| {
            (
                format!("{name}-01"),
                Executable { package: name.to_owned(), select: vec!["--test".into(), select.into()] },
            )
        };
        name_units(&mut reading, &[program("own", "x"), program("dead", "x"), program("other", "y")].into());
        assert_eq!(reading.bare.into_keys().collect::<Vec<_>>(), ["dead tests/dead.rs", "own tests/own.rs"]);
        let go = r#"{"Action":"fail","Package":"x/a","Test":"T"}
            {"Action":"fail","Package":"x/a"}
            {"Action":"fail","Package":"x/b"}"#;
        assert_eq!(read(Reader::GoTest, go).bare.into_keys().collect::<Vec<_>>(), ["x/b"]);
    }

    #[test]
    fn a_test_has_the_same_name_under_another_hash() {
        let mut one = read(Reader::Libtest, LIBTEST);
        let mut two = read(Reader::Libtest, &LIBTEST.replace("0123456789abcdef", "fedcba9876543210"));
        name_units(&mut one, &BTreeMap::new());
        name_units(&mut two, &BTreeMap::new());
        assert_eq!(one.tests, two.tests);
    }

    #[test]
    fn cargo_messages_name_compiled_packages_and_test_executables() {
        let text = r#"{"reason":"compiler-artifact","package_id":"registry+https://example.invalid/index#itoa@1.0.9","fresh":true,"executable":null}
{"reason":"compiler-artifact","package_id":"path+file:///tmp/x/app#0.1.0","target":{"kind":["test"],"name":"it"},"fresh":false,"executable":"/t/debug/deps/app-00ff"}
error[E0425]: cannot find function `gone` in crate `x`
  --> src/lib.rs:3:5"#;
        let reading = read(Reader::CargoMessages, text);
        assert!(reading.compiled.contains(&"itoa@1.0.9".into()));
        assert_eq!(reading.executables["app-00ff"].package, "app");
        assert_eq!(reading.executables["app-00ff"].select, ["--test", "it"]);
        assert_eq!(reading.build_failed, Build::Failed);
        assert_eq!(reading.telling.len(), 2);
    }

    #[test]
    fn that_two_copies_of_a_crate_meet_is_told() {
        let text = "error[E0308]: mismatched types\n --> src/lib.rs:2:17\n  |\nnote: there are multiple different versions of \
            crate `message` in the dependency graph\n --> /r/message-1.0.0/src/lib.rs:1:1\n  = help: you can\n";
        let reading = read(Reader::CargoMessages, text);
        assert_eq!(
            reading.telling[2],
            "note: there are multiple different versions of crate `message` in the dependency graph"
        );
        assert_eq!(reading.telling.len(), 4);
    }

    #[test]
    fn a_build_script_that_gives_up_is_told_with_its_words() {
        let text = "error: failed to run custom build command for `k v0.25.0`\n\n  --- stderr\n\
            \n  thread 'main' panicked at build.rs:10:9:\n  None of the v1_* features are enabled.\n";
        let reading = read(Reader::CargoMessages, text);
        assert_eq!(reading.telling.last().unwrap(), "  None of the v1_* features are enabled.");
        assert_eq!(reading.telling.len(), 3);
    }

    #[test]
    fn go_events_tell_build_failures_from_test_failures() {
        let text = r#"{"ImportPath":"ex.com/m","Action":"build-output","Output":"./m.go:3:5: undefined: x\n"}
{"ImportPath":"ex.com/m","Action":"build-fail"}
{"Action":"fail","Package":"ex.com/m","FailedBuild":"ex.com/m"}
{"Action":"pass","Package":"ex.com/n","Test":"TestA"}
{"Action":"fail","Package":"ex.com/n","Test":"TestB","Elapsed":0.5}
{"Action":"fail","Package":"ex.com/n","Elapsed":1.502}"#;
        let reading = read(Reader::GoTest, text);
        assert_eq!(reading.build_failed, Build::Failed);
        assert_eq!(names(&reading, TestEnd::Passed), ["ex.com/n TestA"]);
        assert_eq!(names(&reading, TestEnd::Failed), ["ex.com/n TestB"]);
        assert_eq!(reading.telling, ["./m.go:3:5: undefined: x"]);
        assert_eq!(reading.millis, [("ex.com/n".to_owned(), 1502)].into());
    }

    #[test]
    fn of_go_tests_only_those_that_fail_are_told() {
        let text = r#"{"Action":"output","Package":"m","Test":"TestA","Output":"    a_test.go:1: chatter\n"}
{"Action":"output","Package":"m","Test":"TestB","Output":"    b_test.go:2: got 1, want 2\n"}
{"Action":"pass","Package":"m","Test":"TestA"}
{"Action":"output","Package":"m","Test":"TestB","Output":"--- FAIL: TestB (0.00s)\n"}
{"Action":"fail","Package":"m","Test":"TestB"}
{"Action":"output","Package":"m","Test":"TestC","Output":"panic: cut off\n"}"#;
        let told = ["    b_test.go:2: got 1, want 2", "--- FAIL: TestB (0.00s)", "panic: cut off"];
        assert_eq!(read(Reader::GoTest, text).telling, told);
    }

    #[test]
    fn a_test_whose_end_is_written_in_colour_is_read_as_any_other() {
        let coloured =
            LIBTEST.replace("... ok", "... \x1b[32mok\x1b[m").replace("... FAILED", "... \x1b[31mFAILED\x1b[m");
        assert_eq!(read(Reader::Libtest, &coloured), read(Reader::Libtest, LIBTEST));
        let error = "\x1b[1m\x1b[91merror[E0425]\x1b[0m\x1b[1m: cannot find function `gone`\x1b[0m";
        assert_eq!(read(Reader::CargoMessages, error).telling, ["error[E0425]: cannot find function `gone`"]);
        let go = r#"{"Action":"output","Package":"m","Output":"\u001b[31m--- FAIL: TestA (0.00s)\u001b[0m\n"}"#;
        assert_eq!(read(Reader::GoTest, go).telling, ["--- FAIL: TestA (0.00s)"]);
    }

    #[test]
    fn a_log_of_events_becomes_the_text_that_the_tests_wrote() {
        let log = "$ go test\n{\"Action\":\"output\",\"Output\":\"--- FAIL: TestA\\n\"}\n{\"Action\":\"fail\"}\n";
        assert_eq!(for_people(Reader::GoTest, log), "$ go test\n--- FAIL: TestA\n");
        assert_eq!(for_people(Reader::CargoMessages, "a\n{\"reason\":\"x\"}\nb\n"), "a\nb\n");
    }

    #[test]
    fn a_test_whose_line_a_logger_broke_in_two_has_its_end_all_the_same() {
        let log =
            "test a ... \u{1b}[2m2026-11-30T12:36:19Z\u{1b}[0m DEBUG indexing\nok\n2026 DEBUG more\ntest b ... ok\n";
        let found = read(Reader::Libtest, log);
        assert_eq!((found.ran(), found.tests.values().all(|end| *end == TestEnd::Passed)), (2, true), "{found:?}");
    }

    #[test]
    fn a_full_disk_is_a_sign_of_noise() {
        assert!(read(Reader::Libtest, "error: No space left on device (os error 28)").noise.is_some());
        assert!(read(Reader::Libtest, "error: test failed").noise.is_none());
    }

    #[test]
    fn a_process_killed_from_outside_and_a_dead_network_are_signs_of_noise() {
        let killed = "  process didn't exit successfully: `/t/debug/deps/app-00ff` (signal: 9, SIGKILL: kill)";
        assert!(read(Reader::Libtest, killed).noise.is_some());
        assert!(
            read(Reader::GoTest, r#"{"Action":"output","Package":"m","Output":"signal: killed\n"}"#).noise.is_some()
        );
        let deaf = "fatal: unable to access 'https://x/': Could not resolve host: x";
        assert!(read(Reader::Plain, deaf).noise.is_some());
        assert!(read(Reader::Libtest, "assertion failed: Err(ConnectionRefused)").noise.is_none());
    }
}
