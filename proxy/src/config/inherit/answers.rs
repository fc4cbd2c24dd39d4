//! What a level says about who may ask, files, errors and redirects.

use std::path::Path;

use super::super::model::{
    AccessRule, AddHeader, ErrorPage, Expires, Files, Inheriting, ModifiedSince, RealIp,
    RealIpHeader, Redirects, Root, Who,
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
    pub(in super::super) real_ip_names: Vec<Spanned<String>>,
    pub(in super::super) real_ip_header: Option<RealIpHeader>,
    pub(in super::super) real_ip_recursive: Option<bool>,
    pub(in super::super) expires: Option<Expires>,
    pub(in super::super) add_header: Vec<AddHeader>,
    pub(in super::super) add_header_inherit: Option<Inheriting>,
    pub(in super::super) add_trailer: Vec<AddHeader>,
    pub(in super::super) add_trailer_inherit: Option<Inheriting>,
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
        if self.real_ip_from.is_empty() && self.real_ip_names.is_empty() {
            self.real_ip_from.clone_from(&outer.real_ip_from);
            self.real_ip_names.clone_from(&outer.real_ip_names);
        }
        or(&mut self.real_ip_header, &outer.real_ip_header);
        or(&mut self.real_ip_recursive, &outer.real_ip_recursive);
        or(&mut self.expires, &outer.expires);
        or(&mut self.add_header_inherit, &outer.add_header_inherit);
        take_over(&mut self.add_header, &outer.add_header, self.add_header_inherit);
        or(&mut self.add_trailer_inherit, &outer.add_trailer_inherit);
        take_over(&mut self.add_trailer, &outer.add_trailer, self.add_trailer_inherit);
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
            names: self.real_ip_names.clone(),
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

/// Takes over fields that are added, as far as the level says.
fn take_over(inner: &mut Vec<AddHeader>, outer: &[AddHeader], how: Option<Inheriting>) {
    match how.unwrap_or(Inheriting::On) {
        Inheriting::Off => {}
        Inheriting::On => or_list(inner, outer),
        Inheriting::Merge => inner.extend_from_slice(outer),
    }
}

#[cfg(test)]
mod tests {
    use crate::config::Loader;
    use crate::config::model::Settings;

    fn added(settings: &Settings) -> String {
        let names = settings.add_header.iter().map(|header| header.name.value.as_str());
        names.collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn how_fields_are_taken_over_is_taken_over_too() {
        for (how, expected) in [
            ("", ["A", "C", "C", "D"]),
            ("add_header_inherit off;", ["", "C", "", "D"]),
            ("add_header_inherit merge;", ["A", "C A", "C A", "D"]),
        ] {
            let text = format!(
                "events {{}} http {{ add_header A a; server {{ {how} location /a {{ }} \
                 location /b {{ add_header C c; location /b/c {{ }} \
                 location /b/d {{ add_header D d; add_header_inherit on; }} }} }} }}"
            );
            let http = Loader::new().load_text("nginx.conf", text).unwrap().http.unwrap();
            let [a, b] = http.servers[0].locations.as_slice() else { panic!("two locations") };
            let [c, d] = b.locations.as_slice() else { panic!("two locations") };
            assert_eq!([a, b, c, d].map(|location| added(&location.settings)), expected, "{how}");
        }
    }
}
