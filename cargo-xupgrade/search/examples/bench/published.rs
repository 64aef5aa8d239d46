//! The numbers of the research that the search is measured by: mean trials, baseline runs not counted.

/// The sizes of its table 1.
pub const SIZES: [usize; 4] = [20, 50, 100, 200];

/// The numbers of breakers of its table 1.
pub const BREAKERS: [usize; 5] = [0, 1, 3, 5, 10];

/// Table 1, row "same + rescale".
pub const SPLIT: [[f64; 5]; 4] = [
    [1.9, 5.1, 10.0, 14.8, 27.2],
    [2.8, 7.3, 13.6, 17.7, 28.0],
    [3.6, 9.0, 17.1, 23.3, 35.0],
    [4.4, 10.7, 20.8, 29.1, 45.8],
];

/// Breakers drawn from the priors, "+ rescale".
pub const NATURAL: [f64; 4] = [5.7, 13.7, 27.6, 53.4];

/// Three breakers drawn evenly while the priors are believed.
pub const EVEN: [f64; 4] = [17.2, 22.7, 26.4, 29.6];

/// Table 5, "disjoint groups, spare slots = nested cuts": rounds for 1, 2, 4, 8, 16 workers in the columns
/// N/k = 20/1, 50/0, 50/3, 50/10, 100/5, 200/10.
pub const ROUNDS: [[f64; 6]; 5] = [
    [5.1, 2.9, 13.8, 28.0, 23.3, 45.2],
    [3.5, 2.2, 8.1, 15.8, 13.4, 25.9],
    [2.7, 2.0, 5.1, 9.4, 8.0, 14.4],
    [2.4, 2.0, 3.8, 6.0, 5.1, 8.6],
    [2.3, 2.0, 3.3, 4.6, 3.8, 5.6],
];

/// Table 6, "highest non-major first, then majors": trials at N = 50, 50 with twice the risk, 100.
pub const LADDERS: [f64; 3] = [24.4, 32.4, 46.9];

/// Table 2, N = 50, k = 3, "+ guided rescue": trials for conflict / lockstep / requires pairs as in `PAIRS`.
pub const RESCUE: [f64; 6] = [23.0, 32.0, 28.7, 54.2, 26.2, 54.9];

/// The columns of table 2: how many conflict, lockstep and requires pairs.
pub const PAIRS: [(usize, usize, usize); 6] = [(2, 0, 0), (5, 0, 0), (0, 2, 0), (0, 5, 0), (0, 0, 5), (3, 3, 3)];
