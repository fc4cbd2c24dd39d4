//! What is evened out before logs and messages are compared: times, numbers, and names by run.

use std::path::Path;
use std::sync::LazyLock;

use fancy_regex::Regex;

/// A log without what can't be equal. Of an error log, what is worth a warning or more.
pub(crate) fn log(text: &str) -> Vec<String> {
    static ERROR: LazyLock<Regex> = LazyLock::new(|| {
        regex(r"^\d{4}/\d\d/\d\d \d\d:\d\d:\d\d \[(\w+)\] \d+#\d+: (\*\d+ )?(.*)$")
    });
    static CLOCK: LazyLock<Regex> =
        LazyLock::new(|| regex(r"\d\d/[A-Z][a-z][a-z]/20\d\d:\d\d:\d\d:\d\d [+-]\d{4}"));
    static ISO: LazyLock<Regex> =
        LazyLock::new(|| regex(r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d\d:\d\d"));
    static SECONDS: LazyLock<Regex> = LazyLock::new(|| regex(r"\b\d+\.\d{3}\b"));
    static EXCESS: LazyLock<Regex> = LazyLock::new(|| regex(r"excess: \d+\.\d{3}"));
    let mut lines = Vec::new();
    for line in text.lines() {
        if let Ok(Some(parts)) = ERROR.captures(line) {
            let (level, number) = (&parts[1], parts.get(2).map_or("", |_| "*N "));
            // At notice, what is told of requests.
            let told = level != "notice" || parts[3].contains("client: ");
            if !matches!(level, "debug" | "info") && told {
                let said = EXCESS.replace_all(&parts[3], "excess: N");
                lines.push(format!("log: TIME [{level}] PID: {number}{said}"));
            }
            continue;
        }
        let line = CLOCK.replace_all(line, "CLOCK");
        let line = ISO.replace_all(&line, "ISO");
        lines.push(format!("log: {}", SECONDS.replace_all(&line, "S.MMM")));
    }
    lines
}

fn regex(pattern: &str) -> Regex {
    Regex::new(pattern).expect("a good pattern")
}

/// What differs by run, and what stands for it in the comparison.
pub(crate) struct Names(Vec<(Regex, String)>);

impl Names {
    pub(crate) fn new(dir: &Path) -> Self {
        Self(vec![(regex(&fancy_regex::escape(&dir.display().to_string())), "{dir}".into())])
    }

    /// A port, where it stands alone: some digits of a body may be the same.
    pub(crate) fn add(&mut self, port: u16, name: &str) {
        self.0.push((regex(&format!(r"(?<!\d){port}(?!\d)")), name.to_owned()));
    }

    pub(crate) fn apply(&self, line: &str) -> String {
        self.0.iter().fold(line.to_owned(), |line, (from, to)| {
            from.replace_all(&line, fancy_regex::NoExpand(to)).into_owned()
        })
    }
}
