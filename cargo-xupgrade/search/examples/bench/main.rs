//! Measures the search in simulated worlds with fixed seeds and prints tables: trials beside what others need, beside
//! the information-theoretic bound and beside the research's numbers; for each aim `met` or `MISSED`.
//! `--worlds N`: worlds for each number (default 300). `--table NAME`: only that table (may be given more than once).

mod measure;
mod peers;
mod published;
mod tables;

use std::process::ExitCode;

fn main() -> ExitCode {
    let (mut worlds, mut chosen) = (300, Vec::new());
    let mut arguments = std::env::args().skip(1);
    while let Some(option) = arguments.next() {
        match (option.as_str(), arguments.next()) {
            ("--worlds", Some(number)) if number.parse::<usize>().is_ok_and(|number| number > 0) => {
                worlds = number.parse().unwrap_or(worlds);
            }
            ("--table", Some(name)) if tables::ALL.iter().any(|table| table.0 == name) => chosen.push(name),
            (_, _) => return usage(),
        }
    }
    for (name, print) in tables::ALL {
        if chosen.is_empty() || chosen.iter().any(|one| one == name) {
            let began = std::time::Instant::now();
            print(worlds);
            eprintln!("  ({name}: {:.1} s)", began.elapsed().as_secs_f64());
        }
    }
    ExitCode::SUCCESS
}

fn usage() -> ExitCode {
    let names: Vec<&str> = tables::ALL.iter().map(|table| table.0).collect();
    eprintln!("usage: bench-search [--worlds N] [--table NAME]...\ntables: {}", names.join(", "));
    ExitCode::from(2)
}
