//! From words to a call, and from what came of it to an exit code: the only place where the program ends.

pub mod demo;

use std::ffi::OsString;
use std::process::ExitCode;

use anyhow::Result;
use clap::Parser as _;

use crate::input::cli::{Cli, Command, DemoArgs, Format, RunArgs, Talk};
use crate::machine::failure::{Code, code_of, tell};
use crate::machine::interrupt::{self, Stop};
use crate::plan::Plan;
use crate::{reporter, run};

/// Parses, does, and tells how it ended.
#[must_use]
pub fn main(arguments: Vec<OsString>) -> ExitCode {
    let cli = match Cli::try_parse_from(arguments) {
        Ok(cli) => cli,
        Err(error) => {
            let _ = error.print();
            return ExitCode::from(if error.use_stderr() { Code::Usage as u8 } else { Code::Done as u8 });
        }
    };
    let code = interrupt::install().and_then(|stop| dispatch(cli, &stop));
    match code {
        Ok(code) => ExitCode::from(code as u8),
        Err(error) => {
            eprintln!("{}", tell(&error));
            ExitCode::from(code_of(&error) as u8)
        }
    }
}

fn job(args: &RunArgs, stop: &Stop) -> Result<Code> {
    if args.dry_run {
        let plan = run::dry_run(args, &*reporter::listener(&beside_a_plan(&args.talk)), stop)?;
        return show(&plan, &args.talk);
    }
    let talk = &args.talk;
    let listener = if args.search.explain { reporter::explained(talk) } else { reporter::listener(talk) };
    run::run(args, &*listener, stop)
}

fn show(plan: &Plan, talk: &Talk) -> Result<Code> {
    reporter::show_plan(plan, talk, plan.as_of)?;
    Ok(Code::Done)
}

/// Where the plan is the data on stdout, no events may stand beside it.
fn beside_a_plan(talk: &Talk) -> Talk {
    Talk { format: Format::Human, ..talk.clone() }
}

fn dispatch(cli: Cli, stop: &Stop) -> Result<Code> {
    match cli.command {
        None => job(&cli.run, stop),
        Some(Command::Run(args)) => job(&args, stop),
        Some(Command::Plan(args)) => {
            let plan = run::plan(&args, &*reporter::listener(&beside_a_plan(&args.talk)), stop)?;
            show(&plan, &args.talk)
        }
        Some(Command::Report(args)) => {
            reporter::show_past(&run::past(args.repo.as_deref(), args.out.as_deref())?, &args)?;
            Ok(Code::Done)
        }
        Some(Command::Demo(DemoArgs { archive: Some(archive), folder: Some(folder), .. })) => {
            demo::write_world(&archive, &folder)?;
            Ok(Code::Done)
        }
        Some(Command::Demo(args)) => {
            let keep = if args.keep || args.folder.is_some() { demo::Keep::Yes } else { demo::Keep::No };
            let ended = demo::run(&demo::Options { keep, folder: args.folder, pass_through: Vec::new() })?;
            Ok(Code::of_number(ended))
        }
        Some(Command::Clean(args)) => {
            let gone = run::clean(if args.all { run::Clean::All } else { run::Clean::One(args.repo) })?;
            for folder in &gone {
                eprintln!("removed {}", folder.display());
            }
            if gone.is_empty() {
                eprintln!("nothing to remove");
            }
            Ok(Code::Done)
        }
        Some(Command::Trial(args)) => run::trial(&args, &*reporter::listener(&args.talk), stop),
        Some(Command::Companion(args)) => {
            run::make_shared(&run::cache_root())?;
            let path = crate::ecosystem::go::companion::provide(&run::cache_root())?;
            let path = if args.install { crate::ecosystem::go::companion::install(&path)? } else { path };
            println!("{}", path.display());
            Ok(Code::Done)
        }
    }
}
