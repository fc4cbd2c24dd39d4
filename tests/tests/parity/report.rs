//! Compares what was seen, and says it: the wrong ones, the chosen ones, and a table.

use std::fmt;

use crate::differences::Difference;

/// What became of one case.
pub(crate) enum Outcome {
    Equal,
    /// Different exactly as listed.
    Chosen(&'static Difference),
    /// Different otherwise than listed, or not at all although it is: what only nginx showed,
    /// and what only ours did.
    Wrong {
        nginx: Vec<String>,
        ours: Vec<String>,
        listed: bool,
    },
}

/// All outcomes.
#[derive(Default)]
pub(crate) struct Report {
    outcomes: Vec<(&'static str, String, Outcome)>,
}

impl Outcome {
    pub(crate) fn new(
        nginx: &[String],
        ours: &[String],
        listed: Option<&'static Difference>,
    ) -> Self {
        let (only_nginx, only_ours) = difference(nginx, ours);
        match listed {
            None if only_nginx.is_empty() && only_ours.is_empty() => Self::Equal,
            Some(known) if only_nginx == known.nginx && only_ours == known.proxy => {
                Self::Chosen(known)
            }
            _ => Self::Wrong { nginx: only_nginx, ours: only_ours, listed: listed.is_some() },
        }
    }
}

impl Report {
    pub(crate) fn add(&mut self, family: &'static str, case: &str, outcome: Outcome) {
        self.outcomes.push((family, case.to_owned(), outcome));
    }

    /// Puts the outcomes in the order of the cases.
    pub(crate) fn sort<'a>(&mut self, order: impl Iterator<Item = &'a str>) {
        let order: Vec<&str> = order.collect();
        self.outcomes.sort_by_key(|(_, case, _)| order.iter().position(|name| name == case));
    }

    pub(crate) fn is_good(&self) -> bool {
        !self.outcomes.iter().any(|(_, _, outcome)| matches!(outcome, Outcome::Wrong { .. }))
    }

    fn table(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut families: Vec<(&str, [usize; 3])> = Vec::new();
        for (family, _, outcome) in &self.outcomes {
            if families.last().is_none_or(|(last, _)| last != family) {
                families.push((family, [0; 3]));
            }
            let column = match outcome {
                Outcome::Equal => 0,
                Outcome::Chosen(_) => 1,
                Outcome::Wrong { .. } => 2,
            };
            families.last_mut().expect("just pushed").1[column] += 1;
        }
        writeln!(f, "{:<24}  cases  equal chosen  wrong", "family")?;
        let mut sum = [0; 3];
        for (family, counts) in families {
            row(f, family, counts)?;
            (0..3).for_each(|i| sum[i] += counts[i]);
        }
        row(f, "all", sum)
    }
}

fn row(f: &mut fmt::Formatter<'_>, name: &str, [equal, chosen, wrong]: [usize; 3]) -> fmt::Result {
    let cases = equal + chosen + wrong;
    writeln!(f, "{name:<24} {cases:>6} {equal:>6} {chosen:>6} {wrong:>6}")
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (family, case, outcome) in &self.outcomes {
            let Outcome::Wrong { nginx, ours, listed } = outcome else { continue };
            writeln!(f, "WRONG {family}: {case}")?;
            if *listed {
                writeln!(f, "  listed as a chosen difference, but not with these lines:")?;
            }
            nginx.iter().try_for_each(|line| writeln!(f, "  nginx  {line}"))?;
            ours.iter().try_for_each(|line| writeln!(f, "  ours   {line}"))?;
        }
        for (_, case, outcome) in &self.outcomes {
            let Outcome::Chosen(known) = outcome else { continue };
            writeln!(f, "chosen: {case}: {}", known.why)?;
            known.nginx.iter().try_for_each(|line| writeln!(f, "  nginx  {line}"))?;
            known.proxy.iter().try_for_each(|line| writeln!(f, "  proxy  {line}"))?;
        }
        self.table(f)
    }
}

/// The lines that only one side has, by the longest common subsequence.
fn difference(left: &[String], right: &[String]) -> (Vec<String>, Vec<String>) {
    let mut common = vec![vec![0_usize; right.len() + 1]; left.len() + 1];
    for i in (0..left.len()).rev() {
        for j in (0..right.len()).rev() {
            common[i][j] = if left[i] == right[j] {
                common[i + 1][j + 1] + 1
            } else {
                common[i + 1][j].max(common[i][j + 1])
            };
        }
    }
    let (mut i, mut j) = (0, 0);
    let (mut only_left, mut only_right) = (Vec::new(), Vec::new());
    while i < left.len() || j < right.len() {
        if i < left.len() && j < right.len() && left[i] == right[j] {
            (i, j) = (i + 1, j + 1);
        } else if j == right.len() || (i < left.len() && common[i + 1][j] >= common[i][j + 1]) {
            only_left.push(left[i].clone());
            i += 1;
        } else {
            only_right.push(right[j].clone());
            j += 1;
        }
    }
    (only_left, only_right)
}

#[test]
fn the_lines_of_one_side_only_are_found() {
    let lines = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
    let (left, right) = difference(&lines("a b c d e"), &lines("a x c e f"));
    assert_eq!((left, right), (lines("b d"), lines("x f")));
    let (left, right) = difference(&lines("a b"), &lines("a b"));
    assert!(left.is_empty() && right.is_empty());
}
