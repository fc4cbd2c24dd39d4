//! What a location says about the requests that go to servers, and about the answers that come.

use super::super::source::Spanned;

/// All of it, every default filled in.
#[derive(Debug, Clone)]
pub struct Proxying {
    /// `proxy_hide_header`, beside nginx's own list.
    pub hide: Vec<Spanned<String>>,
    /// `proxy_pass_header`, off that list.
    pub pass: Vec<Spanned<String>>,
    /// `proxy_ignore_headers`
    pub ignore: IgnoredHeaders,
    /// `proxy_redirect`; nothing is `off`.
    pub redirect: Vec<RedirectRule>,
    /// `proxy_cookie_domain`; nothing is `off`.
    pub cookie_domain: Vec<ReplaceRule>,
    /// `proxy_cookie_path`; nothing is `off`.
    pub cookie_path: Vec<ReplaceRule>,
    /// `proxy_cookie_flags`; nothing is `off`.
    pub cookie_flags: Vec<FlagsRule>,
    /// `proxy_force_ranges` (default off).
    pub force_ranges: bool,
    /// `proxy_intercept_errors` (default off).
    pub intercept_errors: bool,
    /// `proxy_pass_trailers` (default off).
    pub pass_trailers: bool,
    /// `early_hints`; variables not yet compiled.
    pub early_hints: Vec<Spanned<String>>,
    /// `proxy_pass_request_headers` (default on).
    pub pass_request_headers: bool,
    /// `proxy_pass_request_body` (default on).
    pub pass_request_body: bool,
    /// `proxy_method`; variables not yet compiled.
    pub method: Option<Spanned<String>>,
    /// `proxy_set_body`; variables not yet compiled.
    pub set_body: Option<Spanned<String>>,
    /// `proxy_buffering` (default on): whether `proxy_limit_rate` holds.
    pub buffering: bool,
    /// `proxy_buffer_size`, in bytes; where nobody says so, heads are bounded otherwise.
    pub buffer_size: Option<Spanned<u64>>,
    /// `proxy_buffers`: how many, and the bytes of each.
    pub buffers: Option<Spanned<(u64, u64)>>,
    /// `proxy_busy_buffers_size`, in bytes.
    pub busy_buffers_size: Option<Spanned<u64>>,
    /// `proxy_bind`; variables not yet compiled.
    pub bind: Option<Spanned<String>>,
    /// `proxy_bind ... transparent`
    pub transparent: bool,
    /// `proxy_ignore_client_abort` (default off).
    pub ignore_client_abort: bool,
    /// `proxy_socket_keepalive` (default off).
    pub socket_keepalive: bool,
    /// `proxy_limit_rate`, in bytes per second; variables not yet compiled, 0 is no limit.
    pub limit_rate: Option<Spanned<String>>,
}

/// The fields of an answer that have no effect.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct IgnoredHeaders {
    /// `X-Accel-Redirect`
    pub redirect: bool,
    /// `X-Accel-Limit-Rate`
    pub limit_rate: bool,
}

/// What is looked for.
#[derive(Debug, Clone)]
pub enum Matching {
    /// This text; variables not yet compiled.
    Text(Spanned<String>),
    /// What this pattern matches, in any case or as it is written.
    Regex {
        /// The pattern.
        pattern: Spanned<String>,
        /// Whether case does not matter.
        any_case: bool,
    },
}

/// One `proxy_redirect`.
#[derive(Debug, Clone)]
pub enum RedirectRule {
    /// `default`: where `proxy_pass` goes, and the location.
    Default,
    /// What is looked for, and what takes its place.
    Replace(ReplaceRule),
}

/// What is looked for in a field, and what takes its place.
#[derive(Debug, Clone)]
pub struct ReplaceRule {
    /// What is looked for.
    pub from: Matching,
    /// What takes its place; variables not yet compiled.
    pub to: Spanned<String>,
}

/// One `proxy_cookie_flags`.
#[derive(Debug, Clone)]
pub struct FlagsRule {
    /// The cookie's name.
    pub cookie: Matching,
    /// What it gets and loses; variables not yet compiled.
    pub flags: Vec<Spanned<String>>,
}
