//! What `--explain` says: why a trial was chosen, and what its end taught. A story heard from events, in plain words;
//! nothing is decided here, and only the listener at the end of this file writes.

use std::sync::{Mutex, PoisonError};

use super::count;
use crate::candidate::{Target, UpgradeName};
use crate::event::{Event, Listener, Step};
use crate::input::cli::{Format, Talk};
use crate::lineage::{self, End, Past};
use crate::machine::failure::shown;
use crate::report::VerdictKind;
use crate::why::Why;

/// What was heard so far.
#[derive(Debug, Default)]
pub struct Story {
    trials: Vec<Heard>,
}

/// One trial.
#[derive(Debug)]
struct Heard {
    id: String,
    why: Why,
    fresh: Vec<Step>,
    /// The same as `name@version`.
    keys: Vec<UpgradeName>,
    accepted: usize,
    parent: Option<usize>,
    verdict: Option<VerdictKind>,
}

impl Heard {
    fn passed(&self) -> bool {
        self.verdict == Some(VerdictKind::Passed)
    }

    fn failed(&self) -> bool {
        matches!(self.verdict, Some(VerdictKind::Failed | VerdictKind::Refused))
    }

    /// Whether it settled what it tried: it passed, or failed alone.
    fn settles(&self, key: &UpgradeName) -> bool {
        (self.passed() || (self.failed() && self.keys.len() == 1)) && self.keys.contains(key)
    }

    fn named(&self) -> String {
        list(&self.fresh)
    }

    /// The rung below where it fails alone. After a second look that one may be in use.
    fn below(&self) -> String {
        let lower = self.fresh.first().and_then(|step| step.lower.first());
        let told = lower.filter(|_| self.why != Why::SecondLook).map(|lower| format!("; next lower: {lower}"));
        told.unwrap_or_default()
    }
}

impl Story {
    /// Takes an event, and gives the line that it is worth, if any.
    pub fn hear(&mut self, event: &Event) -> Option<String> {
        match event {
            Event::TrialBegan { trial, why: Some(why), of, fresh, accepted, .. } => {
                let key = |step: &Step| UpgradeName {
                    ecosystem: step.project.ecosystem,
                    target: Target::new(step.name.as_str(), step.to.clone()),
                };
                let keys = fresh.iter().map(key).collect();
                let mut heard = Heard {
                    id: trial.clone(),
                    why: *why,
                    fresh: fresh.clone(),
                    keys,
                    accepted: *accepted,
                    parent: None,
                    verdict: None,
                };
                heard.parent = self.parent(&heard, of.as_deref());
                let text = format!("{trial}, why: {}", self.reason(&heard));
                self.trials.push(heard);
                Some(text)
            }
            Event::TrialEnded { trial, verdict, .. } => {
                let at = self.trials.iter().rposition(|heard| heard.id == *trial)?;
                self.trials[at].verdict = Some(*verdict);
                Some(format!("{trial}, learnt: {}", self.lesson(&self.trials[at])))
            }
            Event::TrialCleared { trial, .. } => {
                let at = self.trials.iter().rposition(|heard| heard.id == *trial)?;
                self.trials[at].verdict = Some(VerdictKind::Passed);
                None
            }
            _ => None,
        }
    }

    /// The trial that led to this one: the one that it looks at again, or the one that its picks tell.
    fn parent(&self, heard: &Heard, of: Option<&str>) -> Option<usize> {
        let kept = self.trials.iter().filter(|one| one.verdict != Some(VerdictKind::Cancelled));
        let over = kept.filter_map(|one| Some((one, End::of(one.verdict?))));
        let past: Vec<Past<'_>> =
            over.map(|(one, end)| Past { id: &one.id, why: Some(one.why), fresh: &one.keys, end }).collect();
        let id = of.or_else(|| lineage::parent(Some(heard.why), &heard.keys, &past))?;
        self.trials.iter().rposition(|one| one.id == id)
    }

    fn parent_of(&self, heard: &Heard) -> Option<&Heard> {
        heard.parent.map(|at| &self.trials[at])
    }

    /// What failed in a trial and has not been settled since.
    fn left_of(&self, parent: usize) -> Vec<Step> {
        let failed = &self.trials[parent];
        let open = |key: &UpgradeName| !self.trials[parent + 1..].iter().any(|later| later.settles(key));
        failed.fresh.iter().zip(&failed.keys).filter(|(_, key)| open(key)).map(|(step, _)| step.clone()).collect()
    }

    /// Whether everything that a trial tries passed before it.
    fn has_passed(&self, heard: &Heard) -> bool {
        heard.keys.iter().all(|key| self.trials.iter().any(|one| one.passed() && one.keys.contains(key)))
    }

    /// What a bracket leaves out: of what failed, all that has not passed since. Where it keeps less than what was accepted
    /// then, the hunt for what fails at times looks there, and no trial names it.
    fn left_out(&self, bracket: &Heard) -> Vec<Step> {
        let Some(at) = bracket.parent else { return Vec::new() };
        let failed = &self.trials[at];
        if bracket.accepted < failed.accepted {
            return Vec::new();
        }
        let is_in =
            |key: &UpgradeName| self.trials[at + 1..].iter().any(|later| later.passed() && later.keys.contains(key));
        failed.fresh.iter().zip(&failed.keys).filter(|(_, key)| !is_in(key)).map(|(step, _)| step.clone()).collect()
    }

    fn reason(&self, heard: &Heard) -> String {
        let from = self.parent_of(heard);
        let of = from.map(|parent| parent.id.as_str()).unwrap_or_default();
        let mut text = match heard.why {
            Why::First | Why::Group if heard.fresh.len() > 1 => group(heard),
            Why::First | Why::Group => alone(heard),
            Why::Half => match from {
                Some(parent) => {
                    format!("{} of the {} that did not pass in {of}", heard.fresh.len(), parent.fresh.len())
                }
                None => "a part of a group that gave no answer".into(),
            },
            Why::Leaf => self.leaf(heard),
            Why::Retry => "the same again, as it gave no answer".into(),
            Why::Suspect => format!("the failure of {of} names it"),
            Why::SecondLook => {
                format!("a second look: more is accepted since it failed in {of}, perhaps what it needs")
            }
            Why::LastTime => "what passed the last time, all at once".into(),
            Why::AtOnce => "everything that resolves together, at its highest".into(),
            Why::Pair if heard.fresh.len() > 2 => {
                format!("{} that failed, as one: each may need another", heard.fresh.len())
            }
            Why::Pair => "as a pair, for each may need the other".into(),
            Why::Union if self.has_passed(heard) => "what passed side by side, now together".into(),
            Why::Union => "a bet that all of it passes, beside the trials of its parts".into(),
            Why::Bisect => "releases half way between the highest that may pass and the lowest that failed".into(),
            Why::Neighbour => "the release above the one that was found: failures need not begin at one version".into(),
            Why::Confirm => format!("the tests that failed in {of} once more, for one red run is no proof"),
            Why::Bracket => {
                format!(
                    "the tests that failed in {of} without {}: do they fail there, too?",
                    some(&self.left_out(heard))
                )
            }
            Why::Verify => "the whole matrix with nothing cached: only what passes it is published".into(),
            Why::Often => {
                "the tests of what is published several times more: one that fails at times shows itself".into()
            }
            Why::Commit => "this commit by itself".into(),
        };
        text.push_str(&self.lower_ones(heard));
        text
    }

    fn leaf(&self, heard: &Heard) -> String {
        let Some(at) = heard.parent else { return alone(heard) };
        let parent = &self.trials[at];
        if parent.keys.len() == 1 {
            return format!("the next lower version, as {} failed in {}", list(&parent.fresh), parent.id);
        }
        if self.left_of(at).len() == 1 {
            return format!("all that is left of what failed in {}; by itself, for evidence of its own", parent.id);
        }
        format!("one of the {} that failed in {}, by itself", parent.keys.len(), parent.id)
    }

    /// The upgrades that are here because a higher version failed.
    fn lower_ones(&self, heard: &Heard) -> String {
        if matches!(heard.why, Why::SecondLook | Why::Commit) || (heard.why == Why::Leaf && heard.parent.is_some()) {
            return String::new();
        }
        let after = |step: &Step| {
            let failed = self.trials.iter().rev().find(|one| {
                one.failed()
                    && one.fresh.len() == 1
                    && one.fresh[0].name == step.name
                    && one.fresh[0].lower.contains(&step.to)
            })?;
            Some(format!("; {} {} comes after {} failed in {}", step.name, step.to, failed.fresh[0].to, failed.id))
        };
        heard.fresh.iter().filter_map(after).collect()
    }

    fn lesson(&self, heard: &Heard) -> String {
        match heard.verdict {
            Some(VerdictKind::Passed) => self.after_a_pass(heard),
            Some(VerdictKind::Failed) => self.after_a_failure(heard),
            Some(VerdictKind::Refused) => after_a_refusal(heard),
            Some(VerdictKind::Cancelled) => "nothing, for its answer no longer matters".into(),
            _ if heard.why == Why::Commit => "nothing, so it is one commit with the next upgrade".into(),
            _ => "nothing, for noise is no evidence".into(),
        }
    }

    fn after_a_pass(&self, heard: &Heard) -> String {
        let from = self.parent_of(heard);
        match (heard.why, from) {
            (Why::Confirm, Some(parent)) => {
                format!("the failure of {} does not come again, so it does not count", parent.id)
            }
            (Why::Bracket, Some(_)) => blames(&self.left_out(heard)),
            (Why::Verify, _) => format!("the whole matrix passes with {}", count(heard.accepted, "upgrade")),
            (Why::Often, _) => "no test of it failed in any run".into(),
            (Why::Commit, _) => "it passes by itself".into(),
            _ => format!("{} passed{}", list(&heard.fresh), self.culprits(heard)),
        }
    }

    /// What the pass of a part says about the rest of the group.
    fn culprits(&self, heard: &Heard) -> String {
        let is_a_part = |at: &usize| self.trials[*at].failed() && self.trials[*at].keys.len() > heard.keys.len();
        let Some(at) = heard.parent.filter(is_a_part) else { return String::new() };
        let left = self.left_of(at);
        match left.len() {
            0 => String::new(),
            1 => format!(", so {} failed because of {}", self.trials[at].id, list(&left)),
            _ => {
                format!(", so {} failed because of one of {}, or of several together", self.trials[at].id, list(&left))
            }
        }
    }

    fn after_a_failure(&self, heard: &Heard) -> String {
        match (heard.why, self.parent_of(heard)) {
            (Why::Confirm, _) => "it fails again".into(),
            (Why::Bracket, Some(_)) => clears(&self.left_out(heard)),
            (Why::Verify, _) => "they do not pass the whole matrix together; the part that does is looked for".into(),
            (Why::Often, _) => "a test fails at times; whether an upgrade makes it do so is looked at".into(),
            (Why::Commit, _) => "it does not pass by itself, so it is one commit with the next upgrade".into(),
            (Why::Pair, _) => "they do not pass as a pair, either".into(),
            (Why::AtOnce, _) if heard.fresh.len() > 1 => "not all of it passes; it is tried in parts".into(),
            (Why::LastTime, _) => "not all that passed the last time still does; it is tried in parts".into(),
            _ if heard.fresh.len() == 1 => {
                let top = if heard.accepted == 0 {
                    String::new()
                } else {
                    format!(" on top of {}", count(heard.accepted, "upgrade"))
                };
                format!("{} fails{top}{}", heard.named(), heard.below())
            }
            _ => format!("one of these {} breaks it, or several together; a part of them is next", heard.fresh.len()),
        }
    }
}

/// Nothing was built, so nothing failed.
fn after_a_refusal(heard: &Heard) -> String {
    match heard.fresh.len() {
        1 => format!("{} does not resolve here{}", heard.named(), heard.below()),
        more => format!("one of these {more} does not resolve here"),
    }
}

fn group(heard: &Heard) -> String {
    let which = if heard.why == Why::First { "the first" } else { "the next" };
    let highest = heard.fresh.iter().map(|step| step.risk).max();
    let most: Vec<&Step> = heard.fresh.iter().filter(|step| Some(step.risk) == highest).collect();
    // Where several are doubted alike, naming one would mislead.
    let doubted = match most[..] {
        [step] => format!("; most in doubt: {} {}", step.name, step.to),
        _ => String::new(),
    };
    format!("{which} {}, a chance of about {} that all of them pass{doubted}", heard.fresh.len(), chance(&heard.fresh))
}

fn alone(heard: &Heard) -> String {
    match heard.fresh.first() {
        Some(step) => format!("by itself, with a chance of about {} to pass", chance(std::slice::from_ref(step))),
        None => "nothing new".into(),
    }
}

/// The chance that all pass, if none has to do with another.
fn chance(steps: &[Step]) -> String {
    let all: f64 = steps.iter().map(|step| 1.0 - f64::from(step.risk) / 1000.0).product();
    format!("{:.0} %", all * 100.0)
}

/// The same as [`list`], where there may be none: a hunt and the last verification take away from the end what they suspect.
fn some(steps: &[Step]) -> String {
    if steps.is_empty() { "the last upgrades".into() } else { list(steps) }
}

/// What a pass without these upgrades says about them.
fn blames(out: &[Step]) -> String {
    let them = if out.len() == 1 { list(out) } else { "them".to_owned() };
    format!("it passes without {}, which speaks against {them}", some(out))
}

/// What a failure without these upgrades says about them.
fn clears(out: &[Step]) -> String {
    let they_are = if out.len() == 1 { format!("{} is", list(out)) } else { "they are".to_owned() };
    format!("it fails without {}, too, so {they_are} not to blame", some(out))
}

/// The names of upgrades, the first few of many.
fn list(steps: &[Step]) -> String {
    const SHOWN: usize = 5;
    let names: Vec<String> = steps.iter().take(SHOWN).map(|step| format!("{} {}", step.name, step.to)).collect();
    let more = if steps.len() > SHOWN { format!(" and {} more", steps.len() - SHOWN) } else { String::new() };
    format!("{}{more}", names.join(", "))
}

/// Tells another listener everything, and the story beside it.
pub struct Explained {
    inner: Box<dyn Listener>,
    format: Format,
    story: Mutex<Story>,
}

impl Explained {
    /// Around another one.
    pub fn new(inner: Box<dyn Listener>, talk: &Talk) -> Self {
        Self { inner, format: talk.format, story: Mutex::default() }
    }
}

impl Listener for Explained {
    fn tell(&self, event: &Event) {
        self.inner.tell(event);
        let line = self.story.lock().unwrap_or_else(PoisonError::into_inner).hear(event);
        match (line, self.format) {
            // Stdout is for the events, which have the same in fields.
            (Some(text), Format::Json) => eprintln!("{}", shown(&text)),
            (Some(text), Format::Human) => self.inner.tell(&Event::Said { text: format!("  {text}") }),
            (None, _) => {}
        }
    }
}

#[cfg(test)]
mod tests;
