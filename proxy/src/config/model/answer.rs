//! Who may ask, which files answer, and what takes the place of an error.

use std::net::IpAddr;
use std::path::PathBuf;

use super::super::source::Spanned;
use super::Settings;

/// `error_page CODE... [=[CODE]] URI;`
#[derive(Debug, Clone)]
pub struct ErrorPage {
    /// The statuses that it takes the place of.
    pub codes: Vec<u16>,
    /// What becomes of the status.
    pub status: ErrorStatus,
    /// A path, `@NAME` or a URL, variables not yet compiled.
    pub uri: Spanned<String>,
}

/// The status of an answer that takes the place of an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorStatus {
    /// The error's own.
    Kept,
    /// `=`: whatever the page has.
    Theirs,
    /// `=CODE`
    Is(u16),
}

/// `try_files FILE... LAST;`
#[derive(Debug, Clone)]
pub struct TryFiles {
    /// What is looked for, and whether it must be a directory; variables not yet compiled.
    pub files: Vec<(Spanned<String>, bool)>,
    /// What happens when none of it is there.
    pub last: TryLast,
}

/// The last argument of `try_files`.
#[derive(Debug, Clone)]
pub enum TryLast {
    /// `=CODE`
    Code(u16),
    /// A path or `@NAME`, variables not yet compiled.
    Uri(Spanned<String>),
}

/// `limit_except METHOD... { ... }`
#[derive(Debug, Clone)]
pub struct LimitExcept {
    /// The methods that are not limited.
    pub methods: Vec<String>,
    /// What holds for the others.
    pub settings: Box<Settings>,
}

/// `allow` or `deny`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AccessRule {
    /// Whom it is about.
    pub who: Who,
    /// `allow`
    pub allow: bool,
}

/// Whom a rule is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Who {
    /// `all`
    All,
    /// `unix:`
    Unix,
    /// An address, and how many of its first bits count.
    Net(IpAddr, u8),
}

/// `real_ip_header`
#[derive(Debug, Clone)]
pub struct RealIpHeader(pub Spanned<String>);

/// Who is believed who a client is.
#[derive(Debug, Clone)]
pub struct RealIp {
    /// `set_real_ip_from`; with `names` empty, too, nobody.
    pub from: Vec<Who>,
    /// Those that it names, not yet resolved.
    pub names: Vec<Spanned<String>>,
    /// `real_ip_header`; `None` is X-Real-IP.
    pub header: Option<RealIpHeader>,
    /// `real_ip_recursive` (default off).
    pub recursive: bool,
}

/// `root` or `alias`.
#[derive(Debug, Clone)]
pub struct Root {
    /// The directory, the prefix applied; variables not yet compiled.
    pub path: Spanned<String>,
    /// `alias`: it takes the place of the location's prefix.
    pub alias: bool,
}

/// What serves files.
#[derive(Debug, Clone)]
pub struct Files {
    /// `root` or `alias`; `None` is `html` in the prefix.
    pub root: Option<Root>,
    /// What `html` in the prefix is.
    pub default_root: PathBuf,
    /// `index` (default index.html), variables not yet compiled.
    pub index: Vec<Spanned<String>>,
    /// `etag` (default on).
    pub etag: bool,
    /// `if_modified_since` (default exact).
    pub if_modified_since: ModifiedSince,
    /// `max_ranges`; `None` is no limit.
    pub max_ranges: Option<usize>,
    /// `log_not_found` (default on).
    pub log_not_found: bool,
}

/// `if_modified_since`
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ModifiedSince {
    /// `off`: the field is not looked at.
    Off,
    /// `exact`
    Exact,
    /// `before`
    Before,
}

/// How a redirect is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Redirects {
    /// `absolute_redirect` (default on).
    pub absolute: bool,
    /// `port_in_redirect` (default on).
    pub port: bool,
    /// `server_name_in_redirect` (default off).
    pub server_name: bool,
}

/// `expires`; times in seconds.
#[derive(Debug, Clone)]
pub enum Expires {
    /// `off`, the default.
    Off,
    /// `epoch`
    Epoch,
    /// `max`
    Max,
    /// From now.
    After(i64),
    /// `modified`: from the answer's `Last-Modified`.
    Modified(i64),
    /// `@`: at this second of the day.
    Daily(u32),
    /// What a text comes to, variables not yet compiled; perhaps from `Last-Modified`.
    Text {
        /// The text.
        text: Spanned<String>,
        /// `modified`
        modified: bool,
    },
}

/// What a level makes of the outer level's `add_header` or `add_trailer`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Inheriting {
    /// `off`: they do not hold here.
    Off,
    /// `on`: they hold where the level has none of its own; the default.
    On,
    /// `merge`: they hold besides the level's own.
    Merge,
}

/// `add_header NAME VALUE [always];` or `add_trailer`.
#[derive(Debug, Clone)]
pub struct AddHeader {
    /// The field's name.
    pub name: Spanned<String>,
    /// Its value, variables not yet compiled.
    pub value: Spanned<String>,
    /// `always`
    pub always: bool,
}
