//! The configuration that is used when none is named: what `deploy/nginx.conf` says, with the
//! addresses that `--listen` and `--upstream` give.

use std::fmt::Write;

use super::loader::Loader;
use super::model::Config;
use super::parse::quote;
use super::problem::Problem;

/// The name that messages give to the built-in configuration.
pub const BUILT_IN: &str = "built-in";

const LISTEN: &[&str] = &["localhost:8080"];

const UPSTREAM: &[&str] = &[
    "unix:websockets-test_00.sock",
    "unix:websockets-test_01.sock",
    "unix:websockets-test_02.sock",
    "unix:websockets-test_03.sock",
];

impl Config {
    /// A WebSocket load balancer as in `deploy/nginx.conf`: listens on `listen`
    /// (`localhost:8080` when empty) and balances by least connections over `upstream`
    /// (`unix:websockets-test_00.sock` to `_03.sock` when empty). Each is an address as in nginx's
    /// `listen` and `server`; a `unix:` path of `upstream` may be a pattern, such as
    /// `unix:run/*.sock`: it means the sockets that match at any time, of which one must be there
    /// already.
    ///
    /// # Errors
    ///
    /// An address that nginx would refuse, or a pattern without a match.
    pub fn balancer(listen: &[&str], upstream: &[&str]) -> Result<Self, Problem> {
        Self::balancer_with(&Loader::new(), listen, upstream)
    }

    /// [`Config::balancer`] with the prefix and the `-g` directives of a loader.
    ///
    /// # Errors
    ///
    /// Those of [`Config::balancer`], and of the `-g` directives.
    pub fn balancer_with(
        loader: &Loader,
        listen: &[&str],
        upstream: &[&str],
    ) -> Result<Self, Problem> {
        let listen = if listen.is_empty() { LISTEN } else { listen };
        let upstream = if upstream.is_empty() { UPSTREAM } else { upstream };
        for address in upstream {
            super::include::socket_is_there(address).map_err(Problem::without_place)?;
        }
        loader.load_text(BUILT_IN, text(listen, upstream))
    }
}

fn text(listen: &[&str], servers: &[&str]) -> String {
    let mut out = String::from("daemon off;\n\nevents {\n}\n\nhttp {\n    server {\n");
    for address in listen {
        let _ = writeln!(out, "        listen {};", quote(address));
    }
    out.push_str(
        "\n        location / {\n            proxy_http_version 1.1;\n            \
         proxy_pass http://websocket;\n            \
         proxy_set_header Connection $http_connection;\n            \
         proxy_set_header Upgrade $http_upgrade;\n        }\n    }\n\n    \
         upstream websocket {\n        least_conn;\n",
    );
    for address in servers {
        let _ = writeln!(out, "        server {};", quote(address));
    }
    out.push_str("    }\n}\n");
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::model::{ListenAddress, Method};

    #[test]
    fn without_addresses_it_is_the_guide() {
        let config = Config::balancer(&[], &[]).unwrap();
        assert!(!config.daemon);
        let http = config.http.unwrap();
        let server = &http.servers[0];
        let host = ListenAddress::Host("localhost".to_owned(), 8080);
        assert_eq!(server.listen[0].address, host);
        let settings = &server.locations[0].settings;
        let headers: Vec<_> = settings.proxy_set_header.iter().map(|h| &*h.name.value).collect();
        assert_eq!(headers, ["Connection", "Upgrade"]);
        let upstream = &http.upstreams[0];
        assert_eq!((&*upstream.name.value, &upstream.method), ("websocket", &Method::LeastConn));
        let addresses: Vec<_> = upstream.servers.iter().map(|s| &*s.address.value).collect();
        assert_eq!(addresses, UPSTREAM);
    }

    #[test]
    fn a_pattern_stays_one() {
        let place = tempfile::tempdir().unwrap();
        std::fs::write(place.path().join("a.sock"), "").unwrap();
        let pattern = format!("unix:{}/*.sock", place.path().display());
        let config = Config::balancer(&["127.0.0.1:0001"], &[&pattern, "10.0.0.1:81"]).unwrap();
        let http = config.http.unwrap();
        let addresses: Vec<_> =
            http.upstreams[0].servers.iter().map(|s| s.address.value.as_str()).collect();
        assert_eq!(addresses, [&pattern, "10.0.0.1:81"]);
    }

    #[test]
    fn a_pattern_without_a_match_says_what_to_do() {
        let problem = Config::balancer(&[], &["unix:no/such/*.sock"]).unwrap_err();
        assert!(problem.to_string().starts_with("no socket matches \"no/such/*.sock\": start"));
    }

    #[test]
    fn an_address_cannot_smuggle_directives() {
        let config = Config::balancer(&["host; foo {"], &[]).unwrap();
        let listen = &config.http.unwrap().servers[0].listen[0];
        assert_eq!(listen.address, ListenAddress::Host("host; foo {".to_owned(), 80));
    }
}
