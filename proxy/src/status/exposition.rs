//! The text formats in which Prometheus reads metrics: its own, and OpenMetrics.
//!
//! <https://prometheus.io/docs/instrumenting/exposition_formats/>,
//! <https://prometheus.io/docs/specs/om/open_metrics_spec/>

use std::fmt::{Display, Write};

use crate::observe::Distribution;

/// Which of the two.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dialect {
    /// Prometheus' own.
    Plain,
    /// OpenMetrics.
    OpenMetrics,
}

impl Dialect {
    /// The one that an `Accept` field asks for.
    pub(crate) fn wanted(accept: &str) -> Self {
        let asks = |range: &str| {
            let mut parts = range.split(';').map(str::trim);
            let is = parts.next().is_some_and(|it| it.eq_ignore_ascii_case(OPEN_METRICS));
            is && !parts.any(|it| matches!(it, "q=0" | "q=0." | "q=0.0" | "q=0.00" | "q=0.000"))
        };
        if accept.split(',').any(asks) { Self::OpenMetrics } else { Self::Plain }
    }

    /// Its media type.
    pub(crate) fn media_type(self) -> &'static str {
        match self {
            Self::Plain => "text/plain; version=0.0.4; charset=utf-8",
            Self::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
        }
    }
}

const OPEN_METRICS: &str = "application/openmetrics-text";

/// What a metric is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// What only grows: its name ends in `_total`.
    Counter,
    /// What goes up and down.
    Gauge,
    /// How often something was how large.
    Histogram,
    /// What its labels say.
    Info,
}

/// The labels of a sample.
pub(super) type Labels<'a> = &'a [(&'static str, &'a str)];

/// Metrics on their way to be text.
#[derive(Debug)]
pub(super) struct Exposition {
    dialect: Dialect,
    text: String,
    /// The family that samples belong to.
    family: String,
    kind: Kind,
}

impl Exposition {
    pub(super) fn new(dialect: Dialect) -> Self {
        let text = String::with_capacity(16 << 10);
        Self { dialect, text, family: String::new(), kind: Kind::Gauge }
    }

    /// The samples that follow belong to this one, whose name has no `proxy_` here and no suffix.
    pub(super) fn family(&mut self, name: &str, kind: Kind, help: &str) {
        self.family = format!("proxy_{name}");
        self.kind = kind;
        let (suffix, word) = match (kind, self.dialect) {
            (Kind::Counter, Dialect::OpenMetrics) => ("", "counter"),
            (Kind::Counter, Dialect::Plain) => ("_total", "counter"),
            (Kind::Info, Dialect::OpenMetrics) => ("", "info"),
            (Kind::Info, Dialect::Plain) => ("_info", "gauge"),
            (Kind::Gauge, _) => ("", "gauge"),
            (Kind::Histogram, _) => ("", "histogram"),
        };
        let family = &self.family;
        // Writing to a String cannot fail.
        let _ = writeln!(self.text, "# HELP {family}{suffix} {help}");
        let _ = writeln!(self.text, "# TYPE {family}{suffix} {word}");
    }

    /// One number of the family.
    pub(super) fn sample(&mut self, labels: Labels<'_>, value: impl Display) {
        let suffix = match self.kind {
            Kind::Counter => "_total",
            Kind::Info => "_info",
            Kind::Gauge | Kind::Histogram => "",
        };
        self.line(suffix, labels, None, value);
    }

    /// A distribution of the family.
    pub(super) fn distribution(&mut self, labels: Labels<'_>, value: &Distribution) {
        for (bound, count) in &value.buckets {
            // As OpenMetrics wants a number that may be a float.
            let bound = format!("{bound:?}");
            self.line("_bucket", labels, Some(&bound), count);
        }
        self.line("_bucket", labels, Some("+Inf"), value.count);
        self.line("_sum", labels, None, value.sum);
        self.line("_count", labels, None, value.count);
    }

    /// All of it.
    pub(super) fn finish(mut self) -> String {
        if self.dialect == Dialect::OpenMetrics {
            self.text.push_str("# EOF\n");
        }
        self.text
    }

    fn line(&mut self, suffix: &str, labels: Labels<'_>, le: Option<&str>, value: impl Display) {
        self.text.push_str(&self.family);
        self.text.push_str(suffix);
        let all = labels.iter().copied().chain(le.map(|le| ("le", le)));
        let mut open = '{';
        for (name, value) in all {
            let _ = write!(self.text, "{open}{name}=\"");
            escape(value, &mut self.text);
            self.text.push('"');
            open = ',';
        }
        let close = if open == ',' { "}" } else { "" };
        let _ = writeln!(self.text, "{close} {value}");
    }
}

/// Appends a label's value.
fn escape(value: &str, text: &mut String) {
    for letter in value.chars() {
        match letter {
            '\\' => text.push_str("\\\\"),
            '"' => text.push_str("\\\""),
            '\n' => text.push_str("\\n"),
            letter => text.push(letter),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_asks_for_openmetrics_gets_it() {
        let prometheus = "application/openmetrics-text;version=1.0.0;q=0.5,text/plain;q=0.2";
        assert_eq!(Dialect::wanted(prometheus), Dialect::OpenMetrics);
        for plain in ["", "*/*", "text/plain", "application/openmetrics-text;q=0"] {
            assert_eq!(Dialect::wanted(plain), Dialect::Plain, "{plain}");
        }
    }

    fn written(dialect: Dialect) -> String {
        let mut all = Exposition::new(dialect);
        all.family("seen", Kind::Counter, "What was seen.");
        all.sample(&[("what", "a \"b\\\n")], 3);
        all.family("build", Kind::Info, "What this is.");
        all.sample(&[("version", "1")], 1);
        all.family("time_seconds", Kind::Histogram, "How long.");
        let buckets = vec![(0.5, 1), (1.0, 2)];
        all.distribution(&[("of", "x")], &Distribution { count: 3, sum: 4.25, buckets });
        all.finish()
    }

    #[test]
    fn prometheus_own_format() {
        let text = "\
# HELP proxy_seen_total What was seen.
# TYPE proxy_seen_total counter
proxy_seen_total{what=\"a \\\"b\\\\\\n\"} 3
# HELP proxy_build_info What this is.
# TYPE proxy_build_info gauge
proxy_build_info{version=\"1\"} 1
# HELP proxy_time_seconds How long.
# TYPE proxy_time_seconds histogram
proxy_time_seconds_bucket{of=\"x\",le=\"0.5\"} 1
proxy_time_seconds_bucket{of=\"x\",le=\"1.0\"} 2
proxy_time_seconds_bucket{of=\"x\",le=\"+Inf\"} 3
proxy_time_seconds_sum{of=\"x\"} 4.25
proxy_time_seconds_count{of=\"x\"} 3
";
        assert_eq!(written(Dialect::Plain), text);
    }

    #[test]
    fn openmetrics_names_families_without_suffix_and_has_an_end() {
        let text = written(Dialect::OpenMetrics);
        assert!(text.contains("# TYPE proxy_seen counter\nproxy_seen_total{"), "{text}");
        assert!(text.contains("# TYPE proxy_build info\nproxy_build_info{"), "{text}");
        assert!(text.ends_with("\n# EOF\n"), "{text}");
    }
}
