//! Why a trial was run: the closed list of names that events, the journal and the report use. Pure.

use serde::{Deserialize, Serialize};

/// Why a trial was chosen. The JSON Schema repeats the names and a test compares the two.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Why {
    /// The first trial of the search.
    First,
    /// Untried upgrades that pass together about every second time.
    Group,
    /// A part of a group that failed, or that gave no answer twice.
    Half,
    /// One upgrade alone: it is likely to fail, or it is what is left of a group that failed.
    Leaf,
    /// The same again, as the first time gave no answer.
    Retry,
    /// One upgrade alone, as the failure of a group named it.
    Suspect,
    /// A rejected upgrade once more, as more is accepted now.
    SecondLook,
    /// What passed last time, as a whole.
    LastTime,
    /// The set that the package managers resolve at once, as a whole.
    AtOnce,
    /// Two upgrades as one.
    Pair,
    /// What passed side by side, now together.
    Union,
    /// A release between the rungs.
    Bisect,
    /// A release above the one that a bisection found.
    Neighbour,
    /// A failure once more, before it counts.
    Confirm,
    /// What failed, without the upgrade that is suspected.
    Bracket,
    /// The whole matrix on what was accepted.
    Verify,
    /// The tests of what passed the whole matrix, several times more.
    Often,
    /// One commit of the branch by itself.
    Commit,
}

impl From<xupgrade_search::Why> for Why {
    fn from(why: xupgrade_search::Why) -> Self {
        use xupgrade_search::Why as Search;
        match why {
            Search::First => Self::First,
            Search::Group => Self::Group,
            Search::Half => Self::Half,
            Search::Leaf => Self::Leaf,
            Search::Retry => Self::Retry,
            Search::Suspect => Self::Suspect,
            Search::SecondLook => Self::SecondLook,
            Search::LastTime => Self::LastTime,
            Search::AtOnce => Self::AtOnce,
            Search::Pair => Self::Pair,
            Search::Union => Self::Union,
            Search::Bisect => Self::Bisect,
            Search::Neighbour => Self::Neighbour,
            Search::Confirm => Self::Confirm,
            Search::Bracket => Self::Bracket,
            Search::Verify => Self::Verify,
            Search::Often => Self::Often,
        }
    }
}
