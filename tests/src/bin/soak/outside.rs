//! What the system says of the proxy and of the workers' sockets.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// The proxy's open descriptors.
pub(crate) fn descriptors(pid: i32) -> u64 {
    let open = fs::read_dir(format!("/proc/{pid}/fd")).map_or(0, Iterator::count);
    u64::try_from(open).unwrap()
}

/// The proportional size of what it has in memory without its program's pages, in kibibytes.
pub(crate) fn memory(pid: i32) -> u64 {
    let text = fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).unwrap_or_default();
    let part = |name: &str| -> Option<u64> {
        let line = text.lines().find_map(|line| line.strip_prefix(name))?;
        line.trim().strip_suffix(" kB")?.trim().parse().ok()
    };
    part("Pss_Anon:").unwrap_or(0) + part("Pss_Shmem:").unwrap_or(0)
}

/// The connections that workers in this directory have, by the path of their socket.
pub(crate) fn connections(directory: &Path) -> BTreeMap<String, u64> {
    /// `SS_CONNECTED` (linux/net.h).
    const CONNECTED: &str = "03";
    let text = fs::read_to_string("/proc/net/unix").unwrap_or_default();
    let directory = directory.display().to_string();
    let mut found = BTreeMap::new();
    for line in text.lines() {
        let fields: Vec<_> = line.split_whitespace().collect();
        if let [_, _, _, _, _, state, _, path] = fields[..]
            && state == CONNECTED
            && path.starts_with(&directory)
        {
            *found.entry(path.to_owned()).or_default() += 1;
        }
    }
    found
}
