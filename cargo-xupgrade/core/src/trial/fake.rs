//! The usual cell and its report, from which tests make theirs.

use super::*;

impl CellKey {
    /// A check of the cargo project at the root.
    #[must_use]
    pub fn of(check: &str) -> Self {
        Self { project: "cargo .".into(), check: check.into() }
    }
}

impl Cell {
    /// A whole cell of the cargo project at the root, with tests as libtest writes them.
    #[must_use]
    pub fn of(name: &str, phase: Phase) -> Self {
        let check = Check {
            name: name.into(),
            phase,
            argv: vec!["cargo".into(), "test".into()],
            afresh: vec![],
            dir: ".".into(),
            env: BTreeMap::new(),
            reader: Reader::Libtest,
            limit: None,
            company: Company::Any,
            turn: Turn::Always,
            grain: Grain::Whole,
        };
        Self { project: "cargo .".into(), check, concerns: BTreeSet::new(), extent: Extent::Whole }
    }

    /// What is reported of it when it ran as its check says and left nothing behind.
    #[must_use]
    pub fn ended(self, exit: Exit, reading: Reading) -> CellReport {
        CellReport {
            words: self.check.argv.clone(),
            cell: self,
            seconds: 1.0,
            exit,
            log: "log/x".into(),
            reading,
            dirtied: vec![],
            changed: vec![],
            strays: 0,
            again: vec![],
            beside: None,
        }
    }
}
