//! The modules of nginx whose directives are carried, as `-V` names them: the table is asked, so
//! that they cannot drift apart.

use super::table;

/// What nginx builds unless it is told `--without-http_X_module`, and the directive without which
/// the module is not there.
const DEFAULT: &[(&str, &str)] = &[
    ("charset", "charset"),
    ("gzip", "gzip"),
    ("ssi", "ssi"),
    ("userid", "userid"),
    ("access", "allow"),
    ("auth_basic", "auth_basic"),
    ("mirror", "mirror"),
    ("autoindex", "autoindex"),
    ("geo", "geo"),
    ("map", "map"),
    ("split_clients", "split_clients"),
    ("referer", "valid_referers"),
    ("rewrite", "rewrite"),
    ("proxy", "proxy_pass"),
    ("fastcgi", "fastcgi_pass"),
    ("uwsgi", "uwsgi_pass"),
    ("scgi", "scgi_pass"),
    ("grpc", "grpc_pass"),
    ("memcached", "memcached_pass"),
    ("limit_conn", "limit_conn"),
    ("limit_req", "limit_req"),
    ("empty_gif", "empty_gif"),
    ("browser", "ancient_browser"),
    ("upstream_hash", "hash"),
    ("upstream_ip_hash", "ip_hash"),
    ("upstream_least_conn", "least_conn"),
    ("upstream_random", "random"),
    ("upstream_keepalive", "keepalive"),
    ("upstream_sticky", "sticky"),
    ("upstream_zone", "zone"),
];

/// What nginx builds when it is told `--with-http_X_module`.
const OPTIONAL: &[(&str, &str)] = &[
    ("ssl", "ssl_certificate"),
    ("v2", "http2"),
    ("v3", "http3"),
    ("realip", "set_real_ip_from"),
    ("addition", "add_after_body"),
    ("xslt", "xslt_stylesheet"),
    ("image_filter", "image_filter"),
    ("geoip", "geoip_country"),
    ("sub", "sub_filter"),
    ("dav", "dav_methods"),
    ("flv", "flv"),
    ("mp4", "mp4"),
    ("gunzip", "gunzip"),
    ("gzip_static", "gzip_static"),
    ("auth_request", "auth_request"),
    ("random_index", "random_index"),
    ("secure_link", "secure_link"),
    ("degradation", "degradation"),
    ("slice", "slice"),
    ("stub_status", "stub_status"),
];

/// The options with which nginx would have to be built to carry the same modules.
pub fn modules() -> Vec<String> {
    let with = OPTIONAL.iter().filter(|(_, directive)| carries(directive));
    let without = DEFAULT.iter().filter(|(_, directive)| !carries(directive));
    with.map(|(module, _)| format!("--with-http_{module}_module"))
        .chain(without.map(|(module, _)| format!("--without-http_{module}_module")))
        .collect()
}

fn carries(directive: &str) -> bool {
    table::all().any(|row| row.name == directive)
}

#[cfg(test)]
mod tests {
    use super::super::refused;
    use super::*;

    #[test]
    fn every_module_is_known_by_a_directive_that_nginx_has() {
        for (module, directive) in DEFAULT.iter().chain(OPTIONAL) {
            let known = carries(directive) || refused::NAMES.contains(directive);
            assert!(known, "{module}: {directive}");
        }
    }

    #[test]
    fn what_is_carried_is_not_said_to_be_left_out() {
        let modules = modules();
        for option in ["--without-http_proxy_module", "--without-http_map_module"] {
            assert!(!modules.iter().any(|module| module == option), "{option}");
        }
        assert!(modules.iter().any(|module| module == "--without-http_fastcgi_module"));
    }
}
