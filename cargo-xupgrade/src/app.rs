//! From words to a call, and from what came of it to an exit code: the only place where the program ends.

use std::ffi::OsString;
use std::process::ExitCode;

use anyhow::Result;
use clap::Parser as _;

use crate::cli::{Cli, Command, Format};
use crate::failure::{Code, code_of, tell};
use crate::interrupt::{self, Stop};
use crate::{demo, reporter, run};

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

fn dispatch(cli: Cli, stop: &Stop) -> Result<Code> {
    match cli.command {
        None => run::run(&cli.run, &*reporter::listener(&cli.run.talk), stop),
        Some(Command::Run(args)) => run::run(&args, &*reporter::listener(&args.talk), stop),
        Some(Command::Plan(args)) => {
            let mut talk = args.talk.clone();
            talk.format = Format::Human;
            let (plan, code) = run::plan(&args, &*reporter::listener(&talk), stop)?;
            reporter::show_plan(&plan, &args.talk, plan.as_of)?;
            Ok(code)
        }
        Some(Command::Demo(args)) => {
            let keep = if args.keep || args.folder.is_some() { demo::Keep::Yes } else { demo::Keep::No };
            let ended = demo::run(&demo::Options { keep, folder: args.folder, pass_through: Vec::new() })?;
            Ok(if ended == 0 { Code::Done } else { Code::Unknown })
        }
        Some(Command::Clean(args)) => {
            let gone = run::clean(args.repo, args.all)?;
            match gone.first() {
                Some(folder) => eprintln!("removed {}", folder.display()),
                None => eprintln!("nothing to remove"),
            }
            Ok(Code::Done)
        }
        Some(Command::Companion(args)) => {
            let path = crate::ecosystem::go::companion::provide(&run::cache_root())?;
            let path = if args.install { crate::ecosystem::go::companion::install(&path)? } else { path };
            println!("{}", path.display());
            Ok(Code::Done)
        }
    }
}
