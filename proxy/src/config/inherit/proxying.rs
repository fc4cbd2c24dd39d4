//! What a level says about the requests that go to servers, and about the answers that come.

use super::super::model::{FlagsRule, IgnoredHeaders, Proxying, RedirectRule, ReplaceRule};
use super::super::source::Spanned;
use super::{or, or_list};

/// `None` and empty lists are not said; `Some` of an empty list is `off`.
#[derive(Debug, Default, Clone)]
pub(in super::super) struct ProxyingDraft {
    pub(in super::super) hide: Vec<Spanned<String>>,
    pub(in super::super) pass: Vec<Spanned<String>>,
    pub(in super::super) ignore: Option<(IgnoredHeaders, Vec<String>)>,
    pub(in super::super) redirect: Option<Vec<RedirectRule>>,
    pub(in super::super) cookie_domain: Option<Vec<ReplaceRule>>,
    pub(in super::super) cookie_path: Option<Vec<ReplaceRule>>,
    pub(in super::super) cookie_flags: Option<Vec<FlagsRule>>,
    pub(in super::super) force_ranges: Option<bool>,
    pub(in super::super) intercept_errors: Option<bool>,
    pub(in super::super) pass_trailers: Option<bool>,
    pub(in super::super) early_hints: Vec<Spanned<String>>,
    pub(in super::super) pass_request_headers: Option<bool>,
    pub(in super::super) pass_request_body: Option<bool>,
    pub(in super::super) method: Option<Spanned<String>>,
    pub(in super::super) set_body: Option<Spanned<String>>,
    pub(in super::super) buffering: Option<bool>,
    pub(in super::super) buffer_size: Option<Spanned<u64>>,
    pub(in super::super) buffers: Option<Spanned<(u64, u64)>>,
    pub(in super::super) busy_buffers_size: Option<Spanned<u64>>,
    /// The address, and whether it is `transparent`; `Some(None)` is `off`.
    pub(in super::super) bind: Option<Option<(Spanned<String>, bool)>>,
    pub(in super::super) ignore_client_abort: Option<bool>,
    pub(in super::super) socket_keepalive: Option<bool>,
    pub(in super::super) limit_rate: Option<Spanned<String>>,
    /// The `proxy_pass` so far, and whether it has variables: `proxy_redirect default` asks.
    pub(in super::super) passes: Option<bool>,
}

impl ProxyingDraft {
    /// Takes over from the level around this one what this one does not say.
    pub(super) fn inherit(&mut self, outer: &Self) {
        or_list(&mut self.hide, &outer.hide);
        or_list(&mut self.pass, &outer.pass);
        or(&mut self.ignore, &outer.ignore);
        or(&mut self.redirect, &outer.redirect);
        or(&mut self.cookie_domain, &outer.cookie_domain);
        or(&mut self.cookie_path, &outer.cookie_path);
        or(&mut self.cookie_flags, &outer.cookie_flags);
        or(&mut self.force_ranges, &outer.force_ranges);
        or(&mut self.intercept_errors, &outer.intercept_errors);
        or(&mut self.pass_trailers, &outer.pass_trailers);
        or_list(&mut self.early_hints, &outer.early_hints);
        or(&mut self.pass_request_headers, &outer.pass_request_headers);
        or(&mut self.pass_request_body, &outer.pass_request_body);
        or(&mut self.method, &outer.method);
        or(&mut self.set_body, &outer.set_body);
        or(&mut self.buffering, &outer.buffering);
        or(&mut self.buffer_size, &outer.buffer_size);
        or(&mut self.buffers, &outer.buffers);
        or(&mut self.busy_buffers_size, &outer.busy_buffers_size);
        or(&mut self.bind, &outer.bind);
        or(&mut self.ignore_client_abort, &outer.ignore_client_abort);
        or(&mut self.socket_keepalive, &outer.socket_keepalive);
        or(&mut self.limit_rate, &outer.limit_rate);
    }

    /// nginx's defaults for what no level said.
    pub(super) fn settle(&self) -> Proxying {
        Proxying {
            hide: self.hide.clone(),
            pass: self.pass.clone(),
            ignore: self.ignore.as_ref().map(|(ignore, _)| *ignore).unwrap_or_default(),
            redirect: self.redirect.clone().unwrap_or_else(|| vec![RedirectRule::Default]),
            cookie_domain: self.cookie_domain.clone().unwrap_or_default(),
            cookie_path: self.cookie_path.clone().unwrap_or_default(),
            cookie_flags: self.cookie_flags.clone().unwrap_or_default(),
            force_ranges: self.force_ranges.unwrap_or(false),
            intercept_errors: self.intercept_errors.unwrap_or(false),
            pass_trailers: self.pass_trailers.unwrap_or(false),
            early_hints: self.early_hints.clone(),
            pass_request_headers: self.pass_request_headers.unwrap_or(true),
            pass_request_body: self.pass_request_body.unwrap_or(true),
            method: self.method.clone(),
            set_body: self.set_body.clone(),
            buffering: self.buffering.unwrap_or(true),
            buffer_size: self.buffer_size.clone(),
            buffers: self.buffers.clone(),
            busy_buffers_size: self.busy_buffers_size.clone(),
            transparent: matches!(self.bind, Some(Some((_, true)))),
            bind: self.bind.clone().flatten().map(|(address, _)| address),
            ignore_client_abort: self.ignore_client_abort.unwrap_or(false),
            socket_keepalive: self.socket_keepalive.unwrap_or(false),
            limit_rate: self.limit_rate.clone(),
        }
    }
}
