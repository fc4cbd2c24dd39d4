//! Who may ask, which files answer, and what takes the place of errors, made live.

use std::net::IpAddr;
use std::sync::Arc;

use http::{HeaderName, Method};
use ipnet::IpNet;

use super::addresses::resolve;
use super::site::Builder;
use super::templates::at;
use crate::config::model::{self, ErrorStatus, Http, Settings};
use crate::config::{Config, Problem, Spanned};
use crate::http::{
    Added, Aliased, ErrorPage, ErrorPages, Expires, Expiry, Files, ModifiedSince, RealIp, Rules,
    Trailer, TryFiles, TryLast,
};
use crate::net::Addr;
use crate::route::{AccessList, Template, Who};
use crate::upstream::is_usual;

/// What of a path a location matches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Matched {
    /// So many of its first bytes.
    Prefix(usize),
    /// All of it, or nothing.
    Pattern,
}

impl Matched {
    /// How many of the path's first bytes.
    pub(super) fn length(self) -> usize {
        match self {
            Self::Prefix(length) => length,
            Self::Pattern => 0,
        }
    }
}

impl Builder<'_, '_> {
    /// `limit_except`
    pub(super) fn limit_except(
        &mut self,
        limit: &model::LimitExcept,
        matched: Matched,
    ) -> Result<(Box<[Method]>, Arc<Rules>), Problem> {
        let methods = limit.methods.iter();
        let methods = methods.filter_map(|method| Method::from_bytes(method.as_bytes()).ok());
        Ok((methods.collect(), Arc::new(self.rules(&limit.settings, matched)?)))
    }

    /// `error_page`
    pub(super) fn errors(&self, settings: &Settings) -> Result<ErrorPages, Problem> {
        let pages = settings.error_page.iter().map(|page| {
            Ok(ErrorPage {
                codes: page.codes.as_slice().into(),
                status: match page.status {
                    ErrorStatus::Kept => None,
                    ErrorStatus::Theirs => Some(0),
                    ErrorStatus::Is(code) => Some(code),
                },
                uri: self.template(&page.uri)?,
            })
        });
        let pages = pages.collect::<Result<_, Problem>>()?;
        Ok(ErrorPages { pages, recursive: settings.recursive_error_pages })
    }

    /// `try_files`
    pub(super) fn try_files(&self, settings: &Settings) -> Result<Option<TryFiles>, Problem> {
        let Some(tries) = &settings.try_files else { return Ok(None) };
        let files = tries.files.iter().map(|(name, dir)| Ok((self.template(name)?, *dir)));
        Ok(Some(TryFiles {
            files: files.collect::<Result<_, Problem>>()?,
            last: match &tries.last {
                model::TryLast::Code(code) => TryLast::Refuse(*code),
                model::TryLast::Uri(uri) => TryLast::Uri(self.template(uri)?),
            },
        }))
    }

    /// `root`, `alias`, `index` and what belongs to them.
    pub(super) fn files(&self, files: &model::Files, matched: Matched) -> Result<Files, Problem> {
        let (root, alias) = match &files.root {
            None => {
                let root = files.default_root.display().to_string();
                (Template::literal_text(&root), false)
            }
            Some(root) => (self.template(&root.path)?, root.alias),
        };
        let index = match files.index.as_slice() {
            [] => Box::from([Template::literal_text("index.html")]),
            index => index.iter().map(|name| self.template(name)).collect::<Result<_, _>>()?,
        };
        Ok(Files {
            root,
            alias: match (alias, matched) {
                (false, _) => Aliased::Not,
                (true, Matched::Prefix(length)) => Aliased::Prefix(length),
                (true, Matched::Pattern) => Aliased::Whole,
            },
            index,
            etag: files.etag,
            modified_since: match files.if_modified_since {
                model::ModifiedSince::Off => ModifiedSince::Off,
                model::ModifiedSince::Exact => ModifiedSince::Exact,
                model::ModifiedSince::Before => ModifiedSince::Before,
            },
            max_ranges: files.max_ranges.unwrap_or(usize::MAX),
            log_not_found: files.log_not_found,
        })
    }

    /// `set_real_ip_from` and what belongs to it.
    pub(super) fn real_ip(&self, real: &model::RealIp) -> Result<Option<RealIp>, Problem> {
        if real.from.is_empty() && real.names.is_empty() {
            return Ok(None);
        }
        let header = match &real.header {
            None => HeaderName::from_static("x-real-ip"),
            Some(model::RealIpHeader(name)) => self.field_name(name)?,
        };
        let mut from: Vec<_> = real.from.iter().filter_map(|from| who(*from)).collect();
        for name in &real.names {
            let known = self.believed.iter().filter(|(known, _)| *known == name.value);
            from.extend(known.map(|(_, ip)| Who::Net((*ip).into())));
        }
        Ok(Some(RealIp { from, header, recursive: real.recursive }))
    }

    /// `expires`
    pub(super) fn expires(&self, expires: &model::Expires) -> Result<Option<Expiry>, Problem> {
        Ok(Some(Expiry::Fixed(match expires {
            model::Expires::Off => return Ok(None),
            model::Expires::Epoch => Expires::Epoch,
            model::Expires::Max => Expires::Max,
            model::Expires::After(time) => Expires::After(*time),
            model::Expires::Modified(time) => Expires::Modified(*time),
            model::Expires::Daily(second) => Expires::Daily(*second),
            model::Expires::Text { text, modified } => {
                return Ok(Some(Expiry::Text(self.template(text)?, *modified)));
            }
        })))
    }

    /// `add_trailer`
    pub(super) fn trailers(&self, settings: &Settings) -> Result<Box<[Trailer]>, Problem> {
        let trailers = settings.add_trailer.iter().map(|line| {
            self.field_name(&line.name)?;
            let (start, value) = (format!("{}: ", line.name.value), self.template(&line.value)?);
            Ok(Trailer { start: start.into(), value, always: line.always })
        });
        trailers.collect()
    }

    fn field_name(&self, name: &Spanned<String>) -> Result<HeaderName, Problem> {
        HeaderName::from_bytes(name.value.as_bytes()).map_err(|_| {
            at(self.config, format!("\"{}\" is not a field name", name.value), name.span)
        })
    }

    /// `add_header`
    pub(super) fn added(&self, settings: &Settings) -> Result<Box<[Added]>, Problem> {
        let added = settings.add_header.iter().map(|line| {
            let name = self.field_name(&line.name)?;
            let spelled = &*line.name.value;
            let spelled = (!is_usual(spelled)).then(|| spelled.into());
            let value = self.template(&line.value)?;
            Ok(Added { name, spelled, value, always: line.always })
        });
        added.collect()
    }
}

/// The addresses of the names that `set_real_ip_from` has.
pub(super) fn believed(config: &Config, http: &Http) -> Result<Vec<(String, IpAddr)>, Problem> {
    let mut all = Vec::new();
    for name in &http.real_ip_names {
        let found = resolve(&name.value, 0).ok_or_else(|| {
            let message = format!("host not found in set_real_ip_from \"{}\"", name.value);
            at(config, message, name.span)
        })?;
        all.extend(found.into_iter().filter_map(|addr| match addr {
            Addr::Tcp(addr) => Some((name.value.clone(), addr.ip())),
            Addr::Unix(_) => None,
        }));
    }
    Ok(all)
}

/// `allow` and `deny`
pub(super) fn access(rules: &[model::AccessRule]) -> AccessList {
    AccessList::new(rules.iter().filter_map(|rule| Some((who(rule.who)?, rule.allow))).collect())
}

fn who(who: model::Who) -> Option<Who> {
    Some(match who {
        model::Who::All => Who::All,
        model::Who::Unix => Who::Unix,
        model::Who::Net(addr, bits) => Who::Net(IpNet::new(addr, bits).ok()?),
    })
}
