//! What others do, as small as can be, against an oracle that says whether a set of candidates passes: the
//! numbers of the search stand beside theirs.

/// Counts how often an oracle is asked.
pub struct Oracle<'a> {
    passes: &'a dyn Fn(&[usize]) -> bool,
    pub asked: usize,
}

impl<'a> Oracle<'a> {
    pub fn new(passes: &'a dyn Fn(&[usize]) -> bool) -> Self {
        Self { passes, asked: 0 }
    }

    fn ask(&mut self, base: &[usize], more: &[usize]) -> bool {
        self.asked += 1;
        (self.passes)(&[base, more].concat())
    }
}

/// What a peer is asked to settle, and what it kept.
pub type Peer = fn(&mut Oracle, &[f64]) -> Vec<usize>;

fn all(risks: &[f64]) -> Vec<usize> {
    (0..risks.len()).collect()
}

/// Each candidate alone on the old base, as bots with a pull request each do; nobody tests the result.
pub fn one_by_one(oracle: &mut Oracle, risks: &[f64]) -> Vec<usize> {
    all(risks).into_iter().filter(|&one| oracle.ask(&[], &[one])).collect()
}

/// `ncu --doctor`: all at once; where that fails, each on top of what passed.
pub fn doctor(oracle: &mut Oracle, risks: &[f64]) -> Vec<usize> {
    if oracle.ask(&[], &all(risks)) {
        return all(risks);
    }
    let mut base = Vec::new();
    for one in all(risks) {
        if oracle.ask(&base, &[one]) {
            base.push(one);
        }
    }
    base
}

/// All at once; what fails is halved, and both halves are run.
pub fn halving(oracle: &mut Oracle, risks: &[f64]) -> Vec<usize> {
    let mut base = Vec::new();
    halve(oracle, &mut base, &all(risks));
    base
}

fn halve(oracle: &mut Oracle, base: &mut Vec<usize>, set: &[usize]) {
    if set.is_empty() {
        return;
    }
    if oracle.ask(base, set) {
        return base.extend(set);
    }
    if set.len() > 1 {
        let (left, right) = set.split_at(set.len() / 2);
        halve(oracle, base, left);
        halve(oracle, base, right);
    }
}

/// The same, but a second half is known to fail where the first one passed (as bors does).
pub fn halving_with_inference(oracle: &mut Oracle, risks: &[f64]) -> Vec<usize> {
    let mut base = Vec::new();
    let mut stack = vec![(all(risks), false)];
    while let Some((set, known_to_fail)) = stack.pop() {
        if set.is_empty() {
            continue;
        }
        if !known_to_fail && oracle.ask(&base, &set) {
            base.extend(set);
            continue;
        }
        if set.len() == 1 {
            continue;
        }
        let (left, right) = set.split_at(set.len() / 2);
        if oracle.ask(&base, left) {
            base.extend(left);
            stack.push((right.to_vec(), true));
        } else {
            stack.push((right.to_vec(), false));
            stack.push((left.to_vec(), true));
        }
    }
    base
}

/// The research page's recommended strategy ("same + rescale"), written from its pseudo-code.
pub fn research(oracle: &mut Oracle, risks: &[f64]) -> Vec<usize> {
    let (mut base, mut pool) = (Vec::new(), all(risks));
    pool.sort_by(|one, other| risks[*one].total_cmp(&risks[*other]));
    let (mut seen, mut expected) = (0.0, 0.0);
    while !pool.is_empty() {
        let scale = ((seen + 0.5) / (expected + 0.5_f64)).clamp(0.1, 8.0);
        let risk = |one: usize| (risks[one] * scale).clamp(0.001, 0.95);
        let mut group = prefix(&pool, &risk, 0.5);
        if oracle.ask(&base, &group) {
            expected += group.iter().map(|one| risks[*one]).sum::<f64>();
            pool.retain(|one| !group.contains(one));
            base.extend(group);
            continue;
        }
        while group.len() > 1 {
            let whole: f64 = group.iter().map(|one| 1.0 - risk(*one)).product();
            let left = prefix(&group[..group.len() - 1], &risk, f64::midpoint(1.0, whole));
            if oracle.ask(&base, &left) {
                expected += left.iter().map(|one| risks[*one]).sum::<f64>();
                pool.retain(|one| !left.contains(one));
                group.retain(|one| !left.contains(one));
                base.extend(left);
            } else {
                group = left;
            }
        }
        expected += risks[group[0]];
        seen += 1.0;
        pool.retain(|one| *one != group[0]);
    }
    base
}

/// The prefix whose chance to pass is nearest `target`; at least one.
fn prefix(set: &[usize], risk: &dyn Fn(usize) -> f64, target: f64) -> Vec<usize> {
    let (mut chance, mut best, mut length) = (1.0_f64, f64::INFINITY, 1);
    for (place, one) in set.iter().enumerate() {
        chance *= 1.0 - risk(*one);
        if (chance - target).abs() > best {
            break;
        }
        (best, length) = ((chance - target).abs(), place + 1);
    }
    set[..length].to_vec()
}
