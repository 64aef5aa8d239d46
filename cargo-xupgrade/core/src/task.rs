//! A task: an order with all that another process needs to run it, and the answer. Both go through JSON files.

use serde::{Deserialize, Serialize};

use crate::candidate::Candidate;
use crate::clock::Instant;
use crate::plan::Plan;
use crate::trial::{Order, TrialReport};
use crate::verdict::Baseline;

/// The format of a task.
pub const TASK_SCHEMA: &str = "cargo-xupgrade/task/1";
/// The format of an answer.
pub const ANSWER_SCHEMA: &str = "cargo-xupgrade/answer/1";

/// A trial to run elsewhere: on the same commit, with the plan that is made there at the same instant.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Task {
    /// [`TASK_SCHEMA`].
    pub schema: String,
    /// The commit that everything starts from.
    pub base: String,
    /// The instant at which the registries are looked at.
    pub as_of: Instant,
    /// The ground that the plan stands on.
    pub ground: Ground,
    /// The candidates of the run, in the order that the trial's atoms count in.
    pub candidates: Vec<Candidate>,
    /// The knowledge of the untouched base.
    pub baseline: Baseline,
    /// The trial.
    pub order: Order,
}

/// All that a plan stands on beside the commit and the instant. Another process has to find the same.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ground {
    /// The flags that make the plan, as the command line has them.
    pub flags: serde_json::Value,
    /// A digest of the plan, before any package manager resolved it.
    pub plan: String,
    /// A digest of the configuration, and of the files that it has copied.
    pub configuration: String,
}

/// The answer to a task.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Answer {
    /// [`ANSWER_SCHEMA`].
    pub schema: String,
    /// The name of the trial.
    pub id: String,
    /// The facts.
    pub report: TrialReport,
    /// Seconds that it took.
    pub seconds: f64,
    /// The way in which its processes were kept together, once one ran.
    pub containment: Option<String>,
}

impl Plan {
    /// Brings the candidates into the order of those of a task, which may be fewer.
    ///
    /// # Errors
    /// With the name of the first that is another here, in words.
    pub fn arrange(&mut self, wanted: &[Candidate]) -> Result<(), String> {
        let public = |one: &Candidate| serde_json::to_value(one).ok();
        let mut arranged = Vec::new();
        for one in wanted {
            let mut same = self.candidates.iter().filter(|here| here.id == one.id && here.at == one.at);
            match same.find(|here| public(here) == public(one)) {
                Some(here) => arranged.push(here.clone()),
                None => return Err(format!("{} {} of {}", one.id.name, one.at, one.id.project)),
            }
        }
        self.candidates = arranged;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_candidates_of_a_task_keep_its_order_and_have_to_be_the_same_here() {
        let all = ["a", "b", "c"].map(|name| Candidate::of(name, &["1.1.0", "1.2.0"]));
        let mut plan = Plan::of("base", all.to_vec());
        plan.arrange(&[all[2].clone(), all[0].clone()]).unwrap();
        assert_eq!(plan.candidates, [all[2].clone(), all[0].clone()]);
        let other = Candidate::of("a", &["1.1.0", "1.3.0"]);
        assert_eq!(plan.arrange(&[other]), Err("a 1.0.0 of cargo .".to_owned()), "its ladder is another one");
    }
}
