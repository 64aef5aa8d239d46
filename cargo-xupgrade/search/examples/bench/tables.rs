//! The tables that the benchmark can print.

mod builds;
mod gate;
mod independent;
mod ladders;
mod noise;
mod order;
mod pairs;
mod recorded;
mod size;
mod workers;

/// Prints a table, measured in so many worlds.
type Printer = fn(usize);

/// Name and printer of each table, in the order in which they are printed.
pub const ALL: [(&str, Printer); 16] = [
    ("exact", independent::exact),
    ("natural", independent::natural),
    ("wrong", independent::wrong),
    ("even", independent::even),
    ("pairs", pairs::print),
    ("flakes", noise::flakes),
    ("shaky", noise::shaky),
    ("noise", noise::rates),
    ("workers", workers::print),
    ("order", order::print),
    ("ladders", ladders::ladders),
    ("below", ladders::below),
    ("builds", builds::print),
    ("gate", gate::print),
    ("recorded", recorded::print),
    ("size", size::print),
];
