//! The budget of a search: how many trials it may run and until when, with the time for the last verification kept back.
//! Pure: the clock is asked by the engine and handed in.

use std::time::Duration;

/// What a user grants.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Budget {
    /// How many trials, verification not counted; `None`: as many as it takes.
    pub trials: Option<usize>,
    /// How long the whole run may take, from its start; `None`: as long as it takes.
    pub time: Option<Duration>,
}

/// Why a budget allows no more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Spent {
    /// The trials are used up.
    Trials(usize),
    /// What is left of the time is needed to verify what passed.
    Time(Duration),
}

impl std::fmt::Display for Spent {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Trials(1) => f.write_str("the one trial of --max-trials is used up"),
            Self::Trials(all) => write!(f, "the {all} trials of --max-trials are used up"),
            Self::Time(all) => {
                write!(f, "what is left of the --deadline of {} s is kept back to verify what passed", all.as_secs())
            }
        }
    }
}

impl Budget {
    /// Whether one more trial fits: `begun` of them were started, `elapsed` of the time is over, a trial takes about
    /// `trial`, and `kept` is needed at the end.
    ///
    /// # Errors
    /// With what is used up.
    pub fn fits(&self, begun: usize, elapsed: Duration, trial: Duration, kept: Duration) -> Result<(), Spent> {
        if let Some(all) = self.trials.filter(|all| begun >= *all) {
            return Err(Spent::Trials(all));
        }
        match self.time {
            Some(all) if elapsed + trial + kept > all => Err(Spent::Time(all)),
            _ => Ok(()),
        }
    }

    /// The moment, counted from the start, at which a running trial has to make way for the verification.
    #[must_use]
    pub fn last_call(&self, kept: Duration) -> Option<Duration> {
        self.time.map(|all| all.saturating_sub(kept))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn minutes(minutes: u64) -> Duration {
        Duration::from_secs(minutes * 60)
    }

    #[test]
    fn without_a_budget_everything_fits() {
        assert_eq!(Budget::default().fits(9999, minutes(9999), minutes(9999), minutes(9999)), Ok(()));
    }

    #[test]
    fn the_last_trial_fits_and_the_one_after_it_does_not() {
        let budget = Budget { trials: Some(3), time: None };
        assert_eq!(budget.fits(2, minutes(0), minutes(1), minutes(1)), Ok(()));
        assert_eq!(budget.fits(3, minutes(0), minutes(1), minutes(1)), Err(Spent::Trials(3)));
    }

    #[test]
    fn a_trial_that_would_eat_into_the_verification_is_not_begun() {
        let budget = Budget { trials: None, time: Some(minutes(45)) };
        assert_eq!(budget.fits(0, minutes(20), minutes(10), minutes(15)), Ok(()));
        assert_eq!(budget.fits(0, minutes(21), minutes(10), minutes(15)), Err(Spent::Time(minutes(45))));
        assert_eq!(budget.last_call(minutes(15)), Some(minutes(30)));
        assert_eq!(budget.last_call(minutes(50)), Some(minutes(0)), "nothing is tried where only the end fits");
    }
}
