//! What a level says about who may ask, files, errors and redirects.

use std::path::Path;

use super::super::model::{
    AccessRule, AddHeader, ErrorPage, Expires, Files, ModifiedSince, RealIp, RealIpHeader,
    Redirects, Root, Who,
};
use super::super::source::Spanned;
use super::{or, or_list};

/// `None` and empty lists are not said.
#[derive(Debug, Default, Clone)]
pub(in super::super) struct Answers {
    pub(in super::super) rewrite_log: Option<bool>,
    pub(in super::super) uninitialized_variable_warn: Option<bool>,
    pub(in super::super) merge_slashes: Option<bool>,
    pub(in super::super) satisfy_any: Option<bool>,
    pub(in super::super) access: Vec<AccessRule>,
    pub(in super::super) error_page: Vec<ErrorPage>,
    pub(in super::super) recursive_error_pages: Option<bool>,
    pub(in super::super) root: Option<Root>,
    pub(in super::super) index: Vec<Spanned<String>>,
    pub(in super::super) etag: Option<bool>,
    pub(in super::super) if_modified_since: Option<ModifiedSince>,
    pub(in super::super) max_ranges: Option<u64>,
    pub(in super::super) log_not_found: Option<bool>,
    pub(in super::super) absolute_redirect: Option<bool>,
    pub(in super::super) port_in_redirect: Option<bool>,
    pub(in super::super) server_name_in_redirect: Option<bool>,
    pub(in super::super) real_ip_from: Vec<Who>,
    pub(in super::super) real_ip_header: Option<RealIpHeader>,
    pub(in super::super) real_ip_recursive: Option<bool>,
    pub(in super::super) expires: Option<Expires>,
    pub(in super::super) add_header: Vec<AddHeader>,
}

impl Answers {
    /// Takes over from the level around this one what this one does not say.
    pub(super) fn inherit(&mut self, outer: &Self) {
        or(&mut self.rewrite_log, &outer.rewrite_log);
        or(&mut self.uninitialized_variable_warn, &outer.uninitialized_variable_warn);
        or(&mut self.merge_slashes, &outer.merge_slashes);
        or(&mut self.satisfy_any, &outer.satisfy_any);
        or_list(&mut self.access, &outer.access);
        or_list(&mut self.error_page, &outer.error_page);
        or(&mut self.recursive_error_pages, &outer.recursive_error_pages);
        or(&mut self.root, &outer.root);
        or_list(&mut self.index, &outer.index);
        or(&mut self.etag, &outer.etag);
        or(&mut self.if_modified_since, &outer.if_modified_since);
        or(&mut self.max_ranges, &outer.max_ranges);
        or(&mut self.log_not_found, &outer.log_not_found);
        or(&mut self.absolute_redirect, &outer.absolute_redirect);
        or(&mut self.port_in_redirect, &outer.port_in_redirect);
        or(&mut self.server_name_in_redirect, &outer.server_name_in_redirect);
        or_list(&mut self.real_ip_from, &outer.real_ip_from);
        or(&mut self.real_ip_header, &outer.real_ip_header);
        or(&mut self.real_ip_recursive, &outer.real_ip_recursive);
        or(&mut self.expires, &outer.expires);
        or_list(&mut self.add_header, &outer.add_header);
    }

    /// nginx's defaults for what no level said.
    pub(super) fn files(&self, prefix: &Path) -> Files {
        Files {
            root: self.root.clone(),
            default_root: prefix.join("html"),
            index: self.index.clone(),
            etag: self.etag.unwrap_or(true),
            if_modified_since: self.if_modified_since.unwrap_or(ModifiedSince::Exact),
            max_ranges: self.max_ranges.map(|most| usize::try_from(most).unwrap_or(usize::MAX)),
            log_not_found: self.log_not_found.unwrap_or(true),
        }
    }

    /// nginx's defaults for what no level said.
    pub(super) fn real_ip(&self) -> RealIp {
        RealIp {
            from: self.real_ip_from.clone(),
            header: self.real_ip_header.clone(),
            recursive: self.real_ip_recursive.unwrap_or(false),
        }
    }

    /// nginx's defaults for what no level said.
    pub(super) fn redirects(&self) -> Redirects {
        Redirects {
            absolute: self.absolute_redirect.unwrap_or(true),
            port: self.port_in_redirect.unwrap_or(true),
            server_name: self.server_name_in_redirect.unwrap_or(false),
        }
    }
}
