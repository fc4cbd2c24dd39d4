//! The process, as the system sees it.

use std::fs;

use nix::sys::resource::{RLIM_INFINITY, Resource, getrlimit};

use crate::status::Process;

/// How many ticks are a second in what the kernel tells programs, on every machine.
const TICKS: f64 = 100.0;

/// Looks.
pub(super) fn vitals() -> Process {
    let limit = getrlimit(Resource::RLIMIT_NOFILE).map_or(RLIM_INFINITY, |(soft, _)| soft);
    // One of them is what is read here.
    let open = fs::read_dir("/proc/self/fd").map_or(0, |all| all.count().saturating_sub(1));
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // The name, which may be anything, stands in the second field, in parentheses.
    let fields: Vec<f64> = stat
        .rsplit_once(')')
        .map(|(_, rest)| rest.split_whitespace().map(|field| field.parse().unwrap_or(0.0)))
        .map(Iterator::collect)
        .unwrap_or_default();
    // proc_pid_stat(5) counts from 1, and the third is the first here.
    let field = |number: usize| fields.get(number - 3).copied().unwrap_or(0.0);
    let uptime = fs::read_to_string("/proc/uptime").unwrap_or_default();
    let uptime = uptime.split_whitespace().next().and_then(|it| it.parse::<f64>().ok());
    let after_boot = field(22) / TICKS;
    let system = fs::read_to_string("/proc/stat").unwrap_or_default();
    let boot: u32 = line(&system, "btime").try_into().unwrap_or(0);
    Process {
        pid: std::process::id(),
        started: f64::from(boot) + after_boot,
        uptime: uptime.map_or(0.0, |now| (now - after_boot).max(0.0)),
        threads: line(&status, "Threads:"),
        memory: line(&status, "VmRSS:") * 1024,
        cpu: (field(14) + field(15)) / TICKS,
        descriptors: u64::try_from(open).unwrap_or(u64::MAX),
        descriptor_limit: (limit != RLIM_INFINITY).then_some(limit),
    }
}

/// The number in the line of this name.
fn line(status: &str, name: &str) -> u64 {
    let line = status.lines().find_map(|line| line.strip_prefix(name));
    line.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_has_a_number_memory_and_descriptors() {
        let process = vitals();
        assert_eq!(process.pid, std::process::id());
        assert!(process.threads > 0 && process.memory > 100_000 && process.descriptors > 2);
        assert!(process.uptime < 24.0 * 3600.0, "{process:?}");
    }
}
