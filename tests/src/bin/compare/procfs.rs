//! The kernel's figures on a front: CPU time and memory of a process and all its descendants.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::problem::Problem;

/// CPU time that a family of processes has used up to one moment.
#[derive(Debug, Default)]
pub(crate) struct CpuTime {
    /// By thread, in nanoseconds.
    threads: HashMap<u32, u64>,
    /// Of the processes, in clock ticks; coarse, but with the threads that have ended.
    ticks: u64,
}

impl CpuTime {
    /// What `root` and its descendants have used so far.
    pub(crate) fn of(root: u32) -> Result<Self, Problem> {
        let mut used = Self::default();
        for pid in family(root)? {
            let process = PathBuf::from(format!("/proc/{pid}"));
            used.ticks += figure(&process.join("stat"), parse_ticks)?;
            for thread in numbered(&process.join("task"))? {
                let path = process.join(format!("task/{thread}/schedstat"));
                // A thread may end between the listing and the reading; the ticks have it then.
                if let Ok(nanos) = figure(&path, parse_schedstat) {
                    used.threads.insert(thread, nanos);
                }
            }
        }
        Ok(used)
    }

    /// What was used since `earlier`.
    pub(crate) fn since(&self, earlier: &Self) -> Duration {
        let ticks_per_second = rustix::param::clock_ticks_per_second().max(1);
        let tick = Duration::from_secs(1) / u32::try_from(ticks_per_second).unwrap_or(100);
        let ticks = u32::try_from(self.ticks.saturating_sub(earlier.ticks)).unwrap_or(u32::MAX);
        self.weigh(earlier, tick, tick * ticks)
    }

    /// Threads are exact as long as they live. Where the processes' coarse sum has clearly more,
    /// threads have ended meanwhile and taken their time with them.
    fn weigh(&self, earlier: &Self, tick: Duration, coarse: Duration) -> Duration {
        let new = |(thread, nanos): (&u32, &u64)| {
            nanos.saturating_sub(earlier.threads.get(thread).copied().unwrap_or(0))
        };
        let exact = Duration::from_nanos(self.threads.iter().map(new).sum());
        if coarse > exact + 2 * tick { coarse } else { exact }
    }
}

/// CPU time of the whole machine and of one family of processes, up to one moment.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Machine {
    /// All of it, idle time included, in clock ticks.
    all: u64,
    idle: u64,
    /// What the family has used.
    own: u64,
}

impl Machine {
    /// As it stands now, for `root` and its descendants.
    pub(crate) fn now(root: u32) -> Result<Self, Problem> {
        let machine = Path::new("/proc/stat");
        let own = CpuTime::of(root)?.ticks;
        Ok(Self { all: figure(machine, parse_all)?, idle: figure(machine, parse_idle)?, own })
    }

    /// The part of the machine, 0 to 1, that programs outside the family have used since
    /// `earlier`.
    pub(crate) fn others_since(&self, earlier: &Self) -> f64 {
        let since = |now: u64, then: u64| {
            f64::from(u32::try_from(now.saturating_sub(then)).unwrap_or(u32::MAX))
        };
        let all = since(self.all, earlier.all).max(1.0);
        let used = all - since(self.idle, earlier.idle);
        ((used - since(self.own, earlier.own)) / all).clamp(0.0, 1.0)
    }
}

/// Proportional set size of `root` and its descendants, in kibibytes: their data, without the
/// pages of mapped files, whose share depends on who else on the machine runs the same programs.
pub(crate) fn memory(root: u32) -> Result<u64, Problem> {
    let pss = |pid| figure(&PathBuf::from(format!("/proc/{pid}/smaps_rollup")), parse_pss);
    family(root)?.into_iter().map(pss).sum()
}

/// `root` and all processes below it.
pub(crate) fn family(root: u32) -> Result<Vec<u32>, Problem> {
    let parents: Vec<(u32, u32)> = numbered(Path::new("/proc"))?
        .into_iter()
        .filter_map(|pid| {
            let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
            Some((pid, parse_parent(&stat)?))
        })
        .collect();
    Ok(descend(root, &parents))
}

fn descend(root: u32, parents: &[(u32, u32)]) -> Vec<u32> {
    let below = parents.iter().filter(|(pid, parent)| *parent == root && *pid != root);
    std::iter::once(root).chain(below.flat_map(|(pid, _)| descend(*pid, parents))).collect()
}

/// The entries of a directory whose names are numbers.
fn numbered(directory: &Path) -> Result<Vec<u32>, Problem> {
    let entries = fs::read_dir(directory)
        .map_err(Problem::io(format!("cannot list {}", directory.display())))?;
    Ok(entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok()).collect())
}

fn figure(path: &Path, parse: fn(&str) -> Option<u64>) -> Result<u64, Problem> {
    let text =
        fs::read_to_string(path).map_err(Problem::io(format!("cannot read {}", path.display())))?;
    parse(&text).ok_or_else(|| Problem::Figure { path: path.to_owned() })
}

/// The first field of `schedstat`: nanoseconds on a CPU.
fn parse_schedstat(text: &str) -> Option<u64> {
    text.split_whitespace().next()?.parse().ok()
}

/// The anonymous and the shared part of `smaps_rollup`, in kibibytes.
fn parse_pss(text: &str) -> Option<u64> {
    let part = |name| -> Option<u64> {
        let line = text.lines().find_map(|line| line.strip_prefix(name))?;
        line.trim().strip_suffix(" kB")?.trim().parse().ok()
    };
    Some(part("Pss_Anon:")? + part("Pss_Shmem:")?)
}

/// `utime`, `stime`, `cutime` and `cstime` of `stat`, in clock ticks: the process and the children
/// that it has buried.
fn parse_ticks(text: &str) -> Option<u64> {
    let fields: Vec<u64> =
        after_name(text)?.skip(11).take(4).map(str::parse).collect::<Result<_, _>>().ok()?;
    (fields.len() == 4).then(|| fields.iter().sum())
}

/// The machine's ticks of all kinds: the first eight figures (the others are parts of these).
fn parse_all(text: &str) -> Option<u64> {
    Some(machine_ticks(text)?.take(8).sum())
}

/// `idle` and `iowait`.
fn parse_idle(text: &str) -> Option<u64> {
    Some(machine_ticks(text)?.skip(3).take(2).sum())
}

fn machine_ticks(text: &str) -> Option<impl Iterator<Item = u64>> {
    let line = text.lines().next()?.strip_prefix("cpu ")?;
    Some(line.split_whitespace().map_while(|field| field.parse().ok()))
}

fn parse_parent(text: &str) -> Option<u32> {
    after_name(text)?.nth(1)?.parse().ok()
}

/// The fields of `stat` from the third on. The second is the program's name in parentheses, which
/// may hold blanks and parentheses itself.
fn after_name(stat: &str) -> Option<std::str::SplitWhitespace<'_>> {
    stat.rsplit_once(')').map(|(_, fields)| fields.split_whitespace())
}

#[cfg(test)]
mod tests {
    use super::*;

    const STAT: &str = "4242 (nginx: (odd) x) S 4200 4242 4200 0 -1 4194368 318 0 0 0 \
                        151 349 7 3 20 0 1 0 8035 11984896 1250 18446744073709551615";

    #[test]
    fn a_program_name_may_hold_anything() {
        assert_eq!(parse_parent(STAT), Some(4200));
        assert_eq!(parse_ticks(STAT), Some(510));
        assert_eq!(parse_parent("nothing"), None);
        assert_eq!(parse_ticks("1 (short) S 1"), None);
    }

    #[test]
    fn figures_are_found_in_the_kernels_words() {
        assert_eq!(parse_schedstat("58819 12 1\n"), Some(58819));
        assert_eq!(parse_schedstat(""), None);
        let rollup = "55-7f ---p 00 00:00 0 [rollup]\nRss:  1672 kB\nPss:   293 kB\n\
                      Pss_Anon:  112 kB\nPss_File:  178 kB\nPss_Shmem:   3 kB\n";
        assert_eq!(parse_pss(rollup), Some(115));
        assert_eq!(parse_pss("Rss: 1 kB\nPss: 1 kB\n"), None);
    }

    #[test]
    fn what_others_used_is_what_neither_idled_nor_was_ours() {
        let stat = "cpu  100 1 50 700 20 3 4 2 9 9\ncpu0 1 1 1 1 1 1 1 1 1 1\n";
        assert_eq!((parse_all(stat), parse_idle(stat)), (Some(880), Some(720)));
        let before = Machine { all: 1000, idle: 500, own: 100 };
        let after = Machine { all: 2000, idle: 700, own: 500 };
        assert_eq!(after.others_since(&before), 0.4);
    }

    #[test]
    fn a_family_is_the_root_and_all_below_it() {
        let parents = [(1, 0), (10, 1), (11, 10), (12, 11), (20, 1), (13, 10)];
        assert_eq!(descend(10, &parents), [10, 11, 12, 13]);
        assert_eq!(descend(20, &parents), [20]);
    }

    #[test]
    fn threads_that_ended_are_counted_by_the_coarse_sum() {
        let tick = Duration::from_millis(10);
        let before = CpuTime { threads: [(1, 1_000), (2, 5_000_000)].into(), ticks: 0 };
        let after = CpuTime { threads: [(1, 8_001_000), (3, 2_000_000)].into(), ticks: 0 };
        let exact = Duration::from_millis(10);
        assert_eq!(after.weigh(&before, tick, 2 * tick), exact);
        assert_eq!(after.weigh(&before, tick, 9 * tick), 9 * tick);
    }

    #[test]
    fn this_process_can_be_weighed() {
        let pid = std::process::id();
        let before = CpuTime::of(pid).unwrap();
        while CpuTime::of(pid).unwrap().since(&before) < Duration::from_millis(5) {
            std::hint::spin_loop();
        }
        assert!(memory(pid).unwrap() > 0);
        assert!(family(pid).unwrap().contains(&pid));
    }
}
