//! Server blocks become what answers at a listening address.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;

use http::{HeaderName, HeaderValue, Version};

use super::answers::{Matched, access, believed};
use super::clients::{endings, head_rules};
use super::limits::LimitZones;
use super::logs::{self, LogFiles};
use super::proxying::next_upstream;
use super::templates::{at, compile, geos, maps, splits};
use super::upstreams::Upstreams;
use super::websocket::{origins, told, websocket};
use crate::config::model::{
    self, Escape, Http, HttpVersion, LocationPattern, LogTarget, ProxyPass, ProxyTarget, Settings,
};
use crate::config::{Config, Problem, Spanned};
use crate::http::{
    AccessLog, Action, Forwarding, HeaderPlan, LogEscape, LogSink, Logs, Redirects, Rules, Server,
    Site, Towards, UriPart, Variables,
};
use crate::limit::Zones;
use crate::observe::{ErrorLog, LogBuffer};
use crate::route::uri::Slashes;
use crate::route::{
    Case, Location, Locations, Names, Pattern, Regex, ServerName, Servers, Template, Variable,
};
use crate::status::Format;
use crate::upstream::Times;

/// Builds the servers of one configuration.
pub(super) struct Builder<'a, 'u> {
    pub(super) config: &'a Config,
    pub(super) names: Names,
    files: &'a LogFiles,
    error_log: &'a ErrorLog,
    formats: Vec<(Arc<Template>, Escape)>,
    buffers: Vec<(LogTarget, Arc<LogBuffer>)>,
    variables: Arc<Variables>,
    limits: LimitZones,
    /// The addresses of names that are believed who a client is.
    pub(super) believed: Vec<(String, IpAddr)>,
    upstreams: &'u mut Upstreams<'a>,
}

impl<'a, 'u> Builder<'a, 'u> {
    pub(super) fn new(
        config: &'a Config,
        http: &Http,
        mut names: Names,
        files: &'a LogFiles,
        error_log: &'a ErrorLog,
        zones: &Zones,
        upstreams: &'u mut Upstreams<'a>,
    ) -> Result<Self, Problem> {
        let maps = maps(config, http, &mut names)?;
        let (geos, splits) = (geos(config, http, &names)?, splits(config, http, &names)?);
        let formats = http
            .log_formats
            .iter()
            .map(|format| Ok((Arc::new(compile(config, &format.text, &names)?), format.escape)));
        let formats = formats.collect::<Result<_, Problem>>()?;
        // nginx looks at all of them, wherever they stand.
        for condition in &http.log_conditions {
            compile(config, condition, &names)?;
        }
        let buffers = http.log_buffers.iter();
        let buffers = buffers.map(|buffer| Ok((buffer.target.clone(), files.buffer(buffer)?)));
        let buffers = buffers.collect::<Result<_, Problem>>()?;
        let hostname = nix::unistd::gethostname().unwrap_or_default();
        let hostname = hostname.to_string_lossy().to_lowercase().into();
        let sets = names.sets().to_vec();
        let variables = Arc::new(Variables { maps, geos, splits, sets, hostname });
        let limits = LimitZones::build(config, http, &names, zones)?;
        let believed = believed(config, http)?;
        Ok(Self {
            config,
            names,
            files,
            error_log,
            formats,
            buffers,
            variables,
            limits,
            believed,
            upstreams,
        })
    }

    /// One server block.
    pub(super) fn server(&mut self, server: &model::Server) -> Result<Arc<Server>, Problem> {
        // As written, but for the dot of `.name` and the tilde of a pattern.
        let name = match server.names.first().map(|name| &name.value) {
            None => String::new(),
            Some(name @ (model::ServerName::Leading(_) | model::ServerName::Trailing(_))) => {
                name.to_string()
            }
            Some(name) => name.text().to_owned(),
        };
        let matched = Matched::Prefix(0);
        let mut rules = self.rules(&server.settings, matched)?;
        // nginx looks for a suffix only once a location is found: where none is, it has the types.
        if server.settings.steps.iter().any(|step| matches!(step, model::Step::Return(_))) {
            rules.types = Arc::default();
        }
        let mut named = HashMap::new();
        for location in server.locations.iter().filter(|l| l.pattern.value.is_named()) {
            let rules = Arc::new(self.rules(&location.settings, Matched::Pattern)?);
            named.insert(location.pattern.value.text().as_bytes().into(), rules);
        }
        Ok(Arc::new(Server {
            name: name.into(),
            rules: Arc::new(rules),
            locations: self.locations(&server.locations)?,
            named,
        }))
    }

    /// What answers at one address: its servers, by position, and whether each is the default.
    pub(super) fn site(
        &mut self,
        members: &[(usize, bool)],
        blocks: &[model::Server],
        live: &[Arc<Server>],
    ) -> Result<Option<Arc<Site>>, Problem> {
        let default = members.iter().find(|(_, default)| *default).or(members.first());
        let decides = default.and_then(|(position, _)| blocks.get(*position));
        let merged = decides.is_none_or(|block| block.settings.merge_slashes);
        let heads = decides.map(|block| head_rules(&block.settings.clients.heads));
        let Some(default) = default.and_then(|(position, _)| live.get(*position)) else {
            return Ok(None);
        };
        let mut servers = Servers::new(default.clone());
        for (position, _) in members {
            let (Some(block), Some(live)) = (blocks.get(*position), live.get(*position)) else {
                continue;
            };
            if block.names.is_empty() {
                servers.add(ServerName::Exact(String::new()), live.clone());
            }
            for name in &block.names {
                // Who comes first has the name, as nginx warns.
                servers.add(self.server_name(name)?, live.clone());
            }
        }
        Ok(Some(Arc::new(Site {
            servers,
            slashes: if merged { Slashes::Merged } else { Slashes::Kept },
            heads: heads.unwrap_or_default(),
            variables: self.variables.clone(),
            asks_for_bodies: self.names.ask_for_body(),
            error_log: self.error_log.clone(),
        })))
    }

    fn server_name(&mut self, name: &Spanned<model::ServerName>) -> Result<ServerName, Problem> {
        Ok(match &name.value {
            model::ServerName::Exact(name) => ServerName::Exact(name.clone()),
            model::ServerName::Leading(name) => ServerName::Leading(name.clone()),
            model::ServerName::LeadingOrExact(name) => ServerName::LeadingOrExact(name.clone()),
            model::ServerName::Trailing(name) => ServerName::Trailing(name.clone()),
            model::ServerName::Regex(pattern) => {
                ServerName::Regex(self.regex(pattern, Case::Insensitive, name)?)
            }
        })
    }

    pub(super) fn regex<T>(
        &mut self,
        pattern: &str,
        case: Case,
        place: &Spanned<T>,
    ) -> Result<Regex, Problem> {
        Regex::compile(pattern, case, &mut self.names)
            .map_err(|error| at(self.config, error, place.span))
    }

    fn locations(&mut self, all: &[model::Location]) -> Result<Locations<Arc<Rules>>, Problem> {
        let mut locations = Vec::with_capacity(all.len());
        for location in all {
            let pattern = match &location.pattern.value {
                LocationPattern::Prefix(text) => Pattern::Prefix(text.clone()),
                LocationPattern::PrefixNoRegex(text) => Pattern::PrefixNoRegex(text.clone()),
                LocationPattern::Exact(text) => Pattern::Exact(text.clone()),
                LocationPattern::Regex(text) => {
                    Pattern::Regex(self.regex(text, Case::Sensitive, &location.pattern)?)
                }
                LocationPattern::RegexNoCase(text) => {
                    Pattern::Regex(self.regex(text, Case::Insensitive, &location.pattern)?)
                }
                LocationPattern::Named(_) => continue,
            };
            let (matched, ends_in_slash) = match &location.pattern.value {
                LocationPattern::Prefix(text)
                | LocationPattern::PrefixNoRegex(text)
                | LocationPattern::Exact(text) => {
                    (Matched::Prefix(text.len()), text.ends_with('/'))
                }
                _ => (Matched::Pattern, false),
            };
            locations.push(Location {
                pattern,
                value: Arc::new(self.rules(&location.settings, matched)?),
                auto_redirect: ends_in_slash && location.settings.proxy_pass.is_some(),
                nested: self.locations(&location.locations)?,
            });
        }
        Locations::new(locations).map_err(|error| {
            let outer = all.get(error.position);
            let place = error.nested.and_then(|nested| outer?.locations.get(nested)).or(outer);
            match place {
                Some(place) => at(self.config, &error, place.pattern.span),
                None => Problem::without_place(error.to_string()),
            }
        })
    }

    /// The settings of a location or of a server.
    pub(super) fn rules(
        &mut self,
        settings: &Settings,
        matched: Matched,
    ) -> Result<Rules, Problem> {
        let action = match (&settings.proxy_pass, settings.status) {
            (_, Some(status)) => Action::Status(format(status)),
            (Some(pass), None) => {
                Action::Forward(Box::new(self.forwarding(settings, pass, matched.length())?))
            }
            (None, None) => Action::Files,
        };
        self.buffers(settings)?;
        let limit_except = match &settings.limit_except {
            None => None,
            Some(limit) => Some(self.limit_except(limit, matched)?),
        };
        let keepalive_header = settings
            .keepalive_header
            .and_then(|time| HeaderValue::from_str(&format!("timeout={}", time.as_secs())).ok());
        Ok(Rules {
            action,
            script: self.script(&settings.steps, matched)?,
            rewrite_log: settings.rewrite_log,
            tells_unset: settings.uninitialized_variable_warn,
            internal: settings.internal,
            limit_except,
            limits: self.limits.limits(&settings.limits),
            real_ip: self.real_ip(&settings.real_ip)?,
            websocket: websocket(&settings.websocket),
            origins: origins(&settings.websocket),
            access: access(&settings.access),
            errors: self.errors(settings)?,
            try_files: self.try_files(settings)?,
            files: self.files(&settings.files, matched)?,
            redirects: Redirects {
                absolute: settings.redirects.absolute,
                port: settings.redirects.port,
                server_name: settings.redirects.server_name,
            },
            expires: self.expires(&settings.expires)?,
            added: self.added(settings)?,
            trailers: self.trailers(settings)?,
            max_body: settings.client_max_body_size.unwrap_or(u64::MAX),
            kept_body: settings.clients.kept_body,
            keepalive: !settings.keepalive_timeout.is_zero(),
            keepalive_time: settings.keepalive_time,
            keepalive_requests: settings.keepalive_requests,
            keepalive_timeout: settings.keepalive_timeout,
            send_timeout: settings.send_timeout,
            reset: settings.reset_timedout,
            keepalive_header,
            endings: endings(&settings.clients.endings),
            pace: self.pace(&settings.clients.pace)?,
            types: settings.types.clone(),
            default_type: HeaderValue::from_str(&settings.default_type)
                .unwrap_or_else(|_| HeaderValue::from_static("text/plain")),
            tokens: settings.server_tokens,
            logs: self.logs(settings)?,
        })
    }

    fn logs(&self, settings: &Settings) -> Result<Logs, Problem> {
        let mut access = Vec::with_capacity(settings.access_log.len());
        for log in &settings.access_log {
            let Some((format, escape)) = self.formats.get(log.format) else { continue };
            let target = &log.target.value;
            let buffer = self.buffers.iter().find(|(known, _)| known == target);
            let condition = log.condition.as_ref();
            access.push(AccessLog {
                file: match buffer {
                    Some((_, buffer)) => LogSink::Buffer(buffer.clone()),
                    None => LogSink::File(self.files.get(target)?),
                },
                condition: condition
                    .map(|condition| compile(self.config, condition, &self.names))
                    .transpose()?,
                format: format.clone(),
                escape: match escape {
                    Escape::Default => LogEscape::Default,
                    Escape::Json => LogEscape::Json,
                    Escape::None => LogEscape::None,
                },
            });
        }
        let error = if settings.error_log.is_empty() {
            self.error_log.clone()
        } else {
            logs::error_log(&settings.error_log, self.files)?
        };
        // A map may lead to them, too.
        let is_upstream = |variable: &Variable| {
            matches!(
                variable,
                Variable::UpstreamHttp(_) | Variable::UpstreamCookie(_) | Variable::Map(_)
            )
        };
        let upstream_fields = access.iter().any(|log| {
            let condition = log.condition.iter().flat_map(Template::variables);
            log.format.variables().chain(condition).any(is_upstream)
        });
        let tunnels = told(&settings.websocket);
        Ok(Logs { access, upstream_fields, tunnels, error })
    }

    fn forwarding(
        &mut self,
        settings: &Settings,
        pass: &ProxyPass,
        matched: usize,
    ) -> Result<Forwarding, Problem> {
        let mut lines = Vec::with_capacity(settings.proxy_set_header.len());
        for line in &settings.proxy_set_header {
            let name = HeaderName::from_bytes(line.name.value.as_bytes()).map_err(|_| {
                let message = format!("\"{}\" is not a field name", line.name.value);
                at(self.config, message, line.name.span)
            })?;
            let value = compile(self.config, &line.value, &self.names)?;
            lines.push((name, line.name.value.as_str().into(), value));
        }
        let proxy_port = match &pass.target.value {
            ProxyTarget::Host { port, .. } => port.unwrap_or(80).to_string(),
            ProxyTarget::Unix(_) | ProxyTarget::Text(_) => String::new(),
        };
        let proxying = &settings.proxying;
        let (towards, host) = match &pass.target.value {
            ProxyTarget::Text(text) => {
                let text = Spanned { value: text.clone(), span: pass.target.span };
                let host = Spanned { value: "$proxy_host".to_owned(), span: text.span };
                let towards = Towards::Text(self.template(&text)?, self.upstreams.directory());
                (towards, self.template(&host)?)
            }
            _ => {
                let group = Towards::Group(self.upstreams.find(pass)?);
                (group, Template::literal_text(&pass.proxy_host))
            }
        };
        Ok(Forwarding {
            towards,
            passing: self.passing(proxying, pass)?,
            proxy_host: pass.proxy_host.as_str().into(),
            proxy_port: proxy_port.into(),
            uri: match &pass.uri {
                None if matches!(pass.target.value, ProxyTarget::Text(_)) => UriPart::Passed,
                None => UriPart::AsIs,
                Some(uri) => UriPart::Replace(matched, uri.as_str().into()),
            },
            headers: HeaderPlan::new(lines, host, proxying.pass_request_headers),
            version: match settings.proxy_http_version {
                HttpVersion::Http10 => Version::HTTP_10,
                HttpVersion::Http11 => Version::HTTP_11,
            },
            times: Times {
                connect: settings.proxy_connect_timeout,
                send: settings.proxy_send_timeout,
                read: settings.proxy_read_timeout,
                client: settings.client_body_timeout,
            },
            next: next_upstream(&settings.proxy_next_upstream),
        })
    }
}

/// How the proxy says how it is.
fn format(status: model::Status) -> Format {
    match status {
        model::Status::Stub => Format::Stub,
        model::Status::Json => Format::Json,
        model::Status::Prometheus => Format::Prometheus,
        model::Status::Page => Format::Page,
    }
}
