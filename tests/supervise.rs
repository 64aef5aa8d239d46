//! What a supervised job may do, and that nothing of it survives: the supervisor is the real binary, the jobs are
//! small shell scripts. `scene.rs` holds the stage: how a job is set up and how its processes are found again.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use cargo_xupgrade::machine::interrupt::{self, Level, Stop};
use cargo_xupgrade::machine::supervisor::{self, Containment, Exit, Job, Ran, RunAs};

mod scene;
use scene::{Scene, alive, full_containments, in_each_containment, in_each_full_containment, wait_until};

/// Set in a process that plays the tool (see `play_the_tool`); holds the mark of its scene.
const TOOL: &str = "XUPGRADE_TEST_TOOL";
/// The containment that such a tool uses.
const TOOL_CONTAINMENT: &str = "XUPGRADE_TEST_CONTAINMENT";

#[test]
fn an_exit_code_is_reported() {
    in_each_containment(|scene| {
        let (ran, lines) = scene.run(&scene.shell("echo out; echo err >&2; exit 7"));
        assert_eq!(ran.exit, Exit::Code(7));
        assert_eq!((lines, ran.output_bytes, ran.strays), (vec!["out".to_owned(), "err".to_owned()], 8, 0));
        assert_eq!(scene.log(), "out\nerr\n");
    });
}

#[test]
fn a_signal_that_is_not_ours_is_reported() {
    in_each_containment(|scene| {
        // 34 is a real-time signal, which most libraries have no name for.
        for signal in [9, 11, 15, 34] {
            let (ran, _) = scene.run(&scene.shell(&format!("kill -{signal} $$; sleep 100")));
            assert_eq!(ran.exit, Exit::Signal(signal));
        }
        scene.assert_nothing_is_left();
    });
}

#[test]
fn a_program_that_cannot_be_started_is_told_from_one_that_fails() {
    in_each_containment(|scene| {
        let mut missing = scene.job("no-such-program", &[]);
        missing.env.insert("PATH".into(), scene.dir.clone().into());
        let (ran, _) = scene.run(&missing);
        assert_eq!(ran.exit, Exit::NotStarted("`no-such-program` was not found".to_owned()));

        fs::write(scene.dir.join("text"), "not a program").unwrap();
        let text = scene.dir.join("text").display().to_string();
        let (ran, _) = scene.run(&scene.job(&text, &[]));
        assert!(matches!(&ran.exit, Exit::NotStarted(why) if why.contains("may not be run")), "{ran:?}");

        let mut nowhere = scene.shell("true");
        nowhere.dir = scene.dir.join("nowhere");
        let (ran, _) = scene.run(&nowhere);
        assert!(matches!(&ran.exit, Exit::NotStarted(why) if why.contains("the folder")), "{ran:?}");
    });
}

#[test]
fn a_job_that_ignores_term_is_killed_at_its_limit() {
    in_each_containment(|scene| {
        // The child ignores it too, and outlives its parent as a test outlives `cargo test`.
        let mut job =
            scene.shell("(trap '' TERM; while :; do sleep 1; done) & trap '' TERM; while :; do sleep 1; done");
        (job.limit, job.grace) = (Duration::from_millis(500), Duration::from_millis(300));
        let (ran, _) = scene.run(&job);
        assert_eq!(ran.exit, Exit::TimedOut);
        assert!(ran.seconds >= 0.8 && ran.strays > 0, "{ran:?}");
        scene.assert_nothing_is_left();
    });
}

#[test]
fn what_ignores_term_dies_though_its_leader_obeyed_it() {
    in_each_containment(|scene| {
        let mut job = scene.shell("(trap '' TERM; while :; do sleep 1; done) & sleep 1000");
        (job.limit, job.grace) = (Duration::from_millis(500), Duration::from_millis(300));
        let (ran, _) = scene.run(&job);
        assert_eq!(ran.exit, Exit::TimedOut);
        scene.assert_nothing_is_left();
    });
}

#[test]
fn a_job_may_tidy_up_in_its_grace() {
    in_each_containment(|scene| {
        let mut job = scene.shell("trap 'echo tidied; exit 0' TERM; echo ready; while :; do sleep 0.01; done");
        job.limit = Duration::from_millis(500);
        let (ran, lines) = scene.run(&job);
        assert_eq!((ran.exit, lines.last().unwrap().as_str()), (Exit::TimedOut, "tidied"));
    });
}

#[test]
fn a_stopped_job_is_ended_at_its_limit_all_the_same() {
    in_each_containment(|scene| {
        let mut job = scene.shell("kill -STOP $$; sleep 1000");
        job.limit = Duration::from_millis(300);
        let (ran, _) = scene.run(&job);
        assert_eq!(ran.exit, Exit::TimedOut);
        assert!(ran.seconds < job.grace.as_secs_f64(), "it was woken to see TERM: {ran:?}");
        scene.assert_nothing_is_left();
    });
}

#[test]
fn a_daemon_does_not_outlive_its_job() {
    in_each_full_containment(|scene| {
        // Two forks and a session of its own, with the output held open: what a badly written test server does.
        let script =
            "setsid sh -c 'sh -c \"trap \\\"\\\" TERM HUP; touch up; while :; do sleep 1; done\" & exit 0' & wait
            while [ ! -e up ]; do sleep 0.01; done";
        let (ran, _) = scene.run(&scene.shell(script));
        assert_eq!(ran.exit, Exit::Code(0));
        assert!(ran.strays > 0, "{ran:?}");
        scene.assert_nothing_is_left();
    });
}

#[test]
fn a_background_process_of_the_group_does_not_outlive_its_job() {
    in_each_containment(|scene| {
        let (ran, _) = scene.run(&scene.shell("sleep 1000 & exit 3"));
        assert_eq!(ran.exit, Exit::Code(3));
        assert!(ran.strays == 1, "{ran:?}");
        scene.assert_nothing_is_left();
    });
}

#[test]
fn a_job_that_kills_its_parent_is_reported_and_leaves_nothing() {
    in_each_full_containment(|scene| {
        // First the parent of the job, which in a namespace cannot be killed, then what started the test.
        let (ran, _) = scene.run(&scene.shell("setsid sleep 1000 & kill -9 $PPID; sleep 0.2; kill -9 $$"));
        assert_eq!(ran.exit, Exit::Signal(9));
        assert!(ran.strays > 0, "{ran:?}");
        scene.assert_nothing_is_left();

        let (ran, _) = scene.run(&scene.shell("sh -c 'setsid sleep 1000 & kill -9 $PPID; sleep 1000'; exit 0"));
        assert_eq!(ran.exit, Exit::Signal(9));
        scene.assert_nothing_is_left();
    });
}

#[test]
fn a_job_that_kills_the_outer_supervisor_leaves_nothing() {
    let scene = Scene::new(Containment::Subreaper);
    let script = "setsid sleep 1000 & kill -9 $(awk '{print $4}' /proc/$PPID/stat); sleep 1000";
    let (ran, _) = scene.run(&scene.shell(script));
    assert_eq!(ran.exit, Exit::Signal(9));
    scene.assert_nothing_is_left();
}

#[test]
fn a_supervisor_killed_from_outside_is_reported_and_its_job_ends() {
    in_each_containment(|scene| {
        let job = scene.shell("sleep 1000 & echo up; wait");
        let (mut warden, stop) = (String::new(), Stop::never());
        let ran = scene.launcher.run(&job, &stop, &mut |line| {
            assert_eq!(line, "up");
            warden = scene.parent_of_the_job();
            // As the kernel does when memory runs out.
            assert!(Command::new("kill").args(["-9", &warden]).status().unwrap().success());
        });
        assert_eq!(ran.unwrap().exit, Exit::Signal(9), "after the end of {warden}");
        scene.assert_nothing_is_left();
    });
}

#[test]
fn a_killed_tool_leaves_no_process_behind() {
    if let Ok(mark) = std::env::var(TOOL) {
        // This process is the tool that the other branch started and will kill.
        let scene = Scene::marked(mark, std::env::var(TOOL_CONTAINMENT).unwrap().parse().unwrap());
        let job = scene.shell("setsid sleep 1000 & trap '' TERM HUP; touch up; while :; do sleep 1; done");
        scene.run(&job);
        panic!("the job ended though nothing ended it");
    }
    in_each_containment(|scene| {
        let mut tool = play_the_tool("a_killed_tool_leaves_no_process_behind", &scene);
        scene.wait_for("up");
        assert!(!alive(&scene.mark).is_empty(), "the search in /proc finds the job");
        tool.kill().unwrap();
        tool.wait().unwrap();
        let escapes = containment_of(&scene) == "group";
        wait_until("all processes of the job are gone", || {
            // A session of its own is what a group cannot follow, as the documentation says.
            alive(&scene.mark).iter().all(|process| escapes && process.ends_with("sleep 1000 "))
        });
    });
}

#[test]
fn the_first_interrupt_of_the_tool_ends_its_job_gently() {
    if let Ok(mark) = std::env::var(TOOL) {
        let scene = Scene::marked(mark, std::env::var(TOOL_CONTAINMENT).unwrap().parse().unwrap());
        let stop = interrupt::install().unwrap();
        let job = scene.shell("trap 'echo asked; exit 0' TERM; touch up; while :; do sleep 0.01; done");
        let mut lines = Vec::new();
        let ran = scene.launcher.run(&job, &stop, &mut |line| lines.push(line.to_owned())).unwrap();
        assert_eq!((ran.exit, lines.last().unwrap().as_str()), (Exit::Killed, "asked"));
        return;
    }
    for signal in ["-INT", "-TERM", "-HUP"] {
        let scene = Scene::new(Containment::Subreaper);
        let mut tool = play_the_tool("the_first_interrupt_of_the_tool_ends_its_job_gently", &scene);
        scene.wait_for("up");
        assert!(Command::new("kill").args([signal, &tool.id().to_string()]).status().unwrap().success());
        assert!(tool.wait().unwrap().success(), "the tool lived on after {signal} and saw its job end");
        scene.assert_nothing_is_left();
    }
}

/// Runs the test `name` once more in a process of its own, which plays the tool.
fn play_the_tool(name: &str, scene: &Scene) -> Child {
    let name = format!("{}::{name}", module_path!().split_once("::").unwrap().1);
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args([&name, "--exact"]).env(TOOL, &scene.mark).env(TOOL_CONTAINMENT, containment_of(scene));
    command.stdout(Stdio::null()).spawn().unwrap()
}

/// The containment that a scene's launcher forces, as a word.
fn containment_of(scene: &Scene) -> String {
    let (ran, _) = scene.run(&scene.shell("true"));
    ran.containment.to_string()
}

#[test]
fn endless_output_makes_a_bounded_log() {
    in_each_containment(|scene| {
        let line = "a line of output ".repeat(10).replace(' ', "-");
        let mut job = scene.shell(&format!("yes {line} | head -c 200000000; echo; echo the end"));
        job.log_limit = 1_000_000;
        let (mut count, mut last) = (0_u64, String::new());
        let ran = scene.launcher.run(&job, &Stop::never(), &mut |line| {
            count += 1;
            last = line.to_owned();
        });
        let ran = ran.unwrap();
        assert_eq!((ran.exit, ran.output_bytes, last.as_str()), (Exit::Code(0), 200_000_009, "the end"));
        assert_eq!(count, 200_000_000 / (line.len() as u64 + 1) + 2);
        let log = scene.log();
        assert!(log.len() < 1_000_000 + 256 * 1024 + 200, "{}", log.len());
        let left_out = 200_000_009 - 1_000_000 - 256 * 1024;
        assert!(log.contains(&format!("{left_out} bytes of output left out")), "the log says what it lacks");
        assert!(log.starts_with(&format!("{line}\n")) && log.ends_with("\nthe end\n"));
    });
}

#[test]
fn the_log_keeps_what_was_in_it() {
    let scene = Scene::new(Containment::Subreaper);
    fs::write(scene.dir.join("log"), "$ true\n").unwrap();
    scene.run(&scene.shell("echo done"));
    assert_eq!(scene.log(), "$ true\ndone\n");
}

#[test]
fn a_log_that_cannot_be_written_is_an_error_and_ends_the_job() {
    let scene = Scene::new(Containment::Subreaper);
    let mut job = scene.shell("while :; do echo more; done");
    job.log = "/dev/full".into();
    let error = scene.launcher.run(&job, &Stop::never(), &mut |_| {}).unwrap_err();
    assert!(format!("{error:#}").contains("could not write the log"), "{error:#}");
    scene.assert_nothing_is_left();
}

#[test]
fn the_environment_is_the_stated_one_and_nothing_else() {
    in_each_containment(|scene| {
        let (_, mut lines) = scene.run(&scene.job("env", &[]));
        lines.sort();
        let path = std::env::var("PATH").unwrap();
        assert_eq!(lines, [format!("MARK={}", scene.mark), format!("PATH={path}")]);
    });
}

#[test]
fn an_ordinary_user_may_use_the_files_of_root_and_is_refused_what_their_modes_forbid() {
    in_each_containment(|scene| {
        if !can_be_an_ordinary_user(&scene) {
            return;
        }
        fs::write(scene.dir.join("mine"), "before").unwrap();
        let script = "id -u; echo after > mine; : > closed; chmod 0 closed; cat closed; echo $?";
        let (ran, lines) = scene.run(&Job { run_as: RunAs::Ordinary, ..scene.shell(script) });
        assert_eq!(ran.exit, Exit::Code(0), "{lines:?}");
        assert_eq!((lines.first().unwrap().as_str(), lines.last().unwrap().as_str()), ("1000", "1"), "{lines:?}");
        assert_eq!(fs::read_to_string(scene.dir.join("mine")).unwrap(), "after\n");
        let owner = |name: &str| fs::metadata(scene.dir.join(name)).unwrap().uid();
        assert_eq!(owner("closed"), owner("mine"), "what it makes belongs to whom the tool runs as");
    });
}

#[test]
fn a_daemon_of_an_ordinary_user_does_not_outlive_its_job() {
    in_each_full_containment(|scene| {
        if !can_be_an_ordinary_user(&scene) {
            return;
        }
        let script = "setsid sh -c 'trap \"\" TERM; sleep 600' & exit 0";
        let (ran, lines) = scene.run(&Job { run_as: RunAs::Ordinary, ..scene.shell(script) });
        assert_eq!(ran.exit, Exit::Code(0), "{lines:?}");
        assert!(ran.strays >= 1, "{ran:?}");
        scene.assert_nothing_is_left();
    });
}

/// The answer of this machine when a user namespace is asked for; a container may refuse it.
fn can_be_an_ordinary_user(scene: &Scene) -> bool {
    let (ran, _) = scene.run(&Job { run_as: RunAs::Ordinary, ..scene.shell("true") });
    ran.exit == Exit::Code(0)
}

#[test]
fn a_job_has_no_input_no_inherited_files_and_no_odd_signals() {
    in_each_containment(|scene| {
        let (_, lines) = scene.run(&scene.shell("cat; echo input ended; readlink /proc/self/fd/0; ls /proc/$$/fd"));
        assert_eq!(lines, ["input ended", "/dev/null", "0", "1", "2"]);

        // Not from a shell, which has a mind of its own about signals.
        let (_, masks) = scene.run(&scene.job("grep", &["-E", "Sig(Blk|Ign)", "/proc/self/status"]));
        for mask in &masks {
            // Above 31 are real-time signals, of which the C library ignores two of its own when it starts a program.
            let mask = u64::from_str_radix(mask.split_once('\t').unwrap().1, 16).unwrap();
            assert_eq!(mask & 0x7fff_ffff, 0, "{masks:?}");
        }
        assert_eq!(masks.len(), 2);
    });
}

#[test]
fn a_job_leads_a_group_apart_from_the_tools_session() {
    in_each_containment(|scene| {
        let (mut seen, stop) = (Vec::new(), Stop::never());
        let ran = scene.launcher.run(&scene.shell("echo up; exec sleep 1000"), &stop, &mut |_| {
            // While it becomes `sleep`, it has no environment to be known by.
            while seen.is_empty() {
                seen = alive(&scene.mark).iter().map(|process| group_and_session(process)).collect();
            }
            stop.trip(Level::Now);
        });
        assert_eq!(ran.unwrap().exit, Exit::Killed);
        // Looked at from here: inside a namespace, what lives outside of it has the number 0, be it the tool or not.
        let own = std::process::id().to_string();
        let [(leader, group, session)] = &seen[..] else { panic!("one process: {seen:?}") };
        assert_eq!(group, leader, "it leads its group");
        assert_ne!(session, &group_and_session(&own).2, "apart from {own}");
    });
}

/// The id of a process as listed by `alive`, its group and its session, as this process sees them.
fn group_and_session(process: &str) -> (String, String, String) {
    let id = process.split(' ').next().unwrap();
    let stat = fs::read_to_string(format!("/proc/{id}/stat")).unwrap();
    let mut fields = stat.rsplit_once(')').unwrap().1.split_whitespace().skip(2).map(str::to_owned);
    (id.to_owned(), fields.next().unwrap(), fields.next().unwrap())
}

#[test]
fn stopping_gently_asks_first_and_kills_after_the_grace() {
    in_each_containment(|scene| {
        let mut job = scene.shell("trap 'echo asked' TERM; echo up; while :; do sleep 0.01; done");
        job.grace = Duration::from_millis(500);
        let (ran, lines) = stop_when_up(&scene, &job, Level::Gentle);
        // The shell may say in between that its `sleep` was terminated.
        assert_eq!((ran.exit, lines[0].as_str(), lines[lines.len() - 1].as_str()), (Exit::Killed, "up", "asked"));
        assert!(ran.seconds >= 0.5 && ran.seconds < 30.0, "{}", ran.seconds);
        scene.assert_nothing_is_left();
    });
}

#[test]
fn stopping_now_does_not_ask() {
    in_each_containment(|scene| {
        let job = scene.shell("trap 'echo asked' TERM; echo up; while :; do sleep 0.01; done");
        let (ran, lines) = stop_when_up(&scene, &job, Level::Now);
        assert_eq!((ran.exit, lines), (Exit::Killed, vec!["up".to_owned()]));
        scene.assert_nothing_is_left();
    });
}

/// Runs `job` and asks for `level` as soon as it prints.
fn stop_when_up(scene: &Scene, job: &Job, level: Level) -> (Ran, Vec<String>) {
    let (stop, mut lines) = (Stop::never(), Vec::new());
    let ran = scene.launcher.run(job, &stop, &mut |line| {
        stop.trip(level);
        lines.push(line.to_owned());
    });
    (ran.unwrap(), lines)
}

#[test]
fn a_second_wish_to_stop_ends_the_grace() {
    in_each_containment(|scene| {
        let job = scene.shell("trap 'echo asked' TERM; echo up; while :; do sleep 0.01; done");
        let (stop, mut levels) = (Stop::never(), [Level::Gentle, Level::Now].into_iter());
        let ran = scene.launcher.run(&job, &stop, &mut |_| stop.trip(levels.next().unwrap_or(Level::Now))).unwrap();
        assert_eq!(ran.exit, Exit::Killed);
        assert!(ran.seconds < job.grace.as_secs_f64(), "{}", ran.seconds);
    });
}

#[test]
fn the_containment_asked_for_is_the_one_reported() {
    for containment in [Containment::Subreaper, Containment::ProcessGroup] {
        let scene = Scene::new(containment);
        assert_eq!(scene.run(&scene.shell("true")).0.containment, containment);
    }
}

#[test]
fn a_namespace_shows_its_own_processes_only_and_spreads_their_ids() {
    if !full_containments().contains(&Containment::PidNamespace) {
        return;
    }
    let scene = Scene::new(Containment::PidNamespace);
    let (ran, lines) = scene.run(&scene.shell("echo $$; ls /proc | grep -c '^[0-9]*$'"));
    assert_eq!(ran.containment, Containment::PidNamespace);
    assert!(lines[1].parse::<u32>().unwrap() < 8, "supervisor, shell, ls, grep: {lines:?}");
    let (_, again) = scene.run(&scene.shell("echo $$"));
    assert_ne!(lines[0], again[0], "two cells do not share process ids, which tests name files by");
}

#[test]
fn a_job_may_have_all_the_time_there_is() {
    let scene = Scene::new(Containment::Subreaper);
    let mut job = scene.shell("exit 5");
    (job.limit, job.grace) = (Duration::MAX, Duration::MAX);
    assert_eq!(scene.run(&job).0.exit, Exit::Code(5));
}

#[test]
fn a_supervisor_without_a_job_ends() {
    let status = Command::new(env!("CARGO_BIN_EXE_cargo-xupgrade"))
        .arg(supervisor::SUBCOMMAND)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    assert!(String::from_utf8(status.stdout).unwrap().contains("before it sent a job"));
}
