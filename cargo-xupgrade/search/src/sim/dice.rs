//! Seeded dice: the same seed throws the same numbers on every machine.

use crate::Permille;

/// A linear congruential generator: Knuth's MMIX constants, the high bits used.
#[derive(Debug, Clone)]
pub struct Dice(pub u64);

impl Dice {
    /// The next number below `sides`, which is not zero.
    pub fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }

    /// A place in a list of `length`, which is not zero.
    pub fn place(&mut self, length: usize) -> usize {
        usize::try_from(self.roll(length.max(1) as u64)).unwrap_or_default()
    }

    /// Whether something of this chance happens.
    pub fn happens(&mut self, chance: Permille) -> bool {
        self.roll(1000) < u64::from(chance)
    }
}
