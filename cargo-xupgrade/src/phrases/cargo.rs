//! The words of cargo, as cargo 1.95 prints them on stderr (no other version was tried, unless an item says so).

pub mod resolver;
