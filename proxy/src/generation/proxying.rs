//! What a location does with requests to servers and with their answers, made live.

use http::{HeaderName, StatusCode};

use super::site::Builder;
use super::templates::at;
use crate::config::model::{
    FlagsRule, Matching, NextUpstream, ProxyPass, ProxyTarget, Proxying, RedirectRule, ReplaceRule,
    Settings,
};
use crate::config::{Problem, Spanned};
use crate::http::{Cookies, Flags, Looked, Passing, Replace, hidden};
use crate::route::{Case, Template};
use crate::upstream::{self, LARGEST_HEAD};

/// nginx's size of a buffer: a page of memory.
const PAGE: u64 = 4096;

impl Builder<'_, '_> {
    /// What becomes of requests and answers.
    pub(super) fn passing(
        &mut self,
        proxying: &Proxying,
        pass: &ProxyPass,
    ) -> Result<Passing, Problem> {
        let text = |text: &Option<Spanned<String>>| {
            text.as_ref().map(|text| self.template(text)).transpose()
        };
        let (method, set_body) = (text(&proxying.method)?, text(&proxying.set_body)?);
        let (bind, limit_rate) = (text(&proxying.bind)?, text(&proxying.limit_rate)?);
        let largest = proxying.buffer_size.as_ref().map(|size| size.value);
        let (pass_names, hide) = (names(&proxying.pass), names(&proxying.hide));
        let hints = proxying.early_hints.iter().map(|text| self.template(text));
        Ok(Passing {
            method,
            set_body,
            pass_body: proxying.pass_request_body,
            bind,
            transparent: proxying.transparent,
            ignores_abort: proxying.ignore_client_abort,
            socket_keepalive: proxying.socket_keepalive,
            limit_rate: limit_rate.filter(|_| proxying.buffering),
            largest_head: largest
                .map_or(LARGEST_HEAD, |size| usize::try_from(size).unwrap_or(usize::MAX)),
            early_hints: hints.collect::<Result<_, Problem>>()?,
            trailers: proxying.pass_trailers,
            hide: hidden(&pass_names, &hide),
            force_ranges: proxying.force_ranges,
            obeys_redirect: !proxying.ignore.redirect,
            obeys_limit_rate: !proxying.ignore.limit_rate,
            intercept: proxying.intercept_errors,
            redirects: self.redirects(&proxying.redirect, pass)?,
            cookies: self.cookies(proxying)?,
        })
    }

    fn redirects(
        &mut self,
        rules: &[RedirectRule],
        pass: &ProxyPass,
    ) -> Result<Box<[Replace]>, Problem> {
        let mut redirects = Vec::with_capacity(rules.len());
        for rule in rules {
            match rule {
                // What a URL with variables comes to, nobody knows here.
                RedirectRule::Default if matches!(pass.target.value, ProxyTarget::Text(_)) => {}
                RedirectRule::Default => {
                    let (from, to) = &pass.redirect;
                    let from = Looked::Text(Template::literal_text(from));
                    redirects.push(Replace { from, to: Template::literal_text(to) });
                }
                RedirectRule::Replace(rule) => redirects.push(self.replace(rule)?),
            }
        }
        Ok(redirects.into())
    }

    fn cookies(&mut self, proxying: &Proxying) -> Result<Option<Box<Cookies>>, Problem> {
        let Proxying { cookie_domain, cookie_path, cookie_flags, .. } = proxying;
        if cookie_domain.is_empty() && cookie_path.is_empty() && cookie_flags.is_empty() {
            return Ok(None);
        }
        let mut flags = Vec::with_capacity(cookie_flags.len());
        for FlagsRule { cookie, flags: words } in cookie_flags {
            let words = words.iter().map(|word| self.template(word));
            let words = words.collect::<Result<_, Problem>>()?;
            flags.push(Flags { cookie: self.looked(cookie)?, words });
        }
        Ok(Some(Box::new(Cookies {
            domain: self.replaces(cookie_domain)?,
            path: self.replaces(cookie_path)?,
            flags: flags.into(),
        })))
    }

    fn replaces(&mut self, rules: &[ReplaceRule]) -> Result<Box<[Replace]>, Problem> {
        rules.iter().map(|rule| self.replace(rule)).collect()
    }

    fn replace(&mut self, rule: &ReplaceRule) -> Result<Replace, Problem> {
        Ok(Replace { from: self.looked(&rule.from)?, to: self.template(&rule.to)? })
    }

    fn looked(&mut self, matching: &Matching) -> Result<Looked, Problem> {
        Ok(match matching {
            Matching::Text(text) => Looked::Text(self.template(text)?),
            Matching::Regex { pattern, any_case } => {
                let case = if *any_case { Case::Insensitive } else { Case::Sensitive };
                Looked::Regex(self.regex(&pattern.value, case, pattern)?)
            }
        })
    }

    /// nginx's rules between the sizes of its buffers.
    pub(super) fn buffers(&self, settings: &Settings) -> Result<(), Problem> {
        let Proxying { buffer_size, buffers, busy_buffers_size, .. } = &settings.proxying;
        let spans = [
            busy_buffers_size.as_ref().map(|size| size.span),
            buffers.as_ref().map(|buffers| buffers.span),
            buffer_size.as_ref().map(|size| size.span),
        ];
        let Some(span) = spans.into_iter().flatten().next() else { return Ok(()) };
        let (number, size) = buffers.as_ref().map_or((8, PAGE), |buffers| buffers.value);
        let largest = buffer_size.as_ref().map_or(PAGE, |size| size.value).max(size);
        let busy = busy_buffers_size.as_ref().map_or(2 * largest, |size| size.value);
        let message = if number < 2 {
            "there must be at least 2 \"proxy_buffers\""
        } else if busy < largest {
            "\"proxy_busy_buffers_size\" must be equal to or greater than the maximum of the value \
             of \"proxy_buffer_size\" and one of the \"proxy_buffers\""
        } else if busy > (number - 1).saturating_mul(size) {
            "\"proxy_busy_buffers_size\" must be less than the size of all \"proxy_buffers\" minus \
             one buffer"
        } else {
            return Ok(());
        };
        Err(at(self.config, message, span))
    }
}

/// Names that are none are in no answer.
fn names(all: &[Spanned<String>]) -> Vec<HeaderName> {
    all.iter().filter_map(|name| HeaderName::from_bytes(name.value.as_bytes()).ok()).collect()
}

/// `proxy_next_upstream` and its companions.
pub(super) fn next_upstream(next: &NextUpstream) -> upstream::NextUpstream {
    let statuses = [
        (next.http_500, StatusCode::INTERNAL_SERVER_ERROR),
        (next.http_502, StatusCode::BAD_GATEWAY),
        (next.http_503, StatusCode::SERVICE_UNAVAILABLE),
        (next.http_504, StatusCode::GATEWAY_TIMEOUT),
        (next.http_403, StatusCode::FORBIDDEN),
        (next.http_404, StatusCode::NOT_FOUND),
        (next.http_429, StatusCode::TOO_MANY_REQUESTS),
    ];
    upstream::NextUpstream {
        error: next.error,
        timeout: next.timeout,
        invalid_header: next.invalid_header,
        non_idempotent: next.non_idempotent,
        statuses: statuses.iter().filter(|(on, _)| *on).map(|(_, status)| *status).collect(),
        tries: next.tries,
        within: next.timeout_after,
    }
}
