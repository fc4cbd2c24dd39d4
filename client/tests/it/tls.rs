//! wss://

use std::fs;

use rcgen::{CertifiedKey, KeyPair};
use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::pki_types::PrivateKeyDer;
use std::sync::Arc;
use tempfile::tempdir;

use crate::support::run::{Outcome, run};
use crate::support::server;

/// A server's certificate that nobody has signed but itself, and the configuration that shows it.
fn self_signed() -> (String, ServerConfig) {
    let CertifiedKey { cert, signing_key } =
        rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let key: KeyPair = signing_key;
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(
            vec![cert.der().clone()],
            PrivateKeyDer::Pkcs8(key.serialize_der().into()),
        )
        .unwrap();
    (cert.pem(), config)
}

fn conversation(url: &str) -> Outcome {
    let out = format!("Connected to {url}.\n< hello\nConnection closed: 1000 (OK).\n");
    Outcome { out, err: String::new(), status: 0 }
}

#[test]
fn a_certificate_that_nobody_trusts_is_refused_and_the_ways_out_are_named() {
    let (_, config) = self_signed();
    let server = server::tls(config, server::echo);
    let outcome = run(&[&server.url], "hello\n");
    let start = format!(
        "Failed to connect to {}: TLS handshake failed: invalid peer certificate",
        server.url
    );
    assert!(outcome.err.starts_with(&start), "{}", outcome.err);
    let end = "(--ca FILE trusts one more authority, --insecure trusts anybody).\n";
    assert!(outcome.err.ends_with(end), "{}", outcome.err);
    assert_eq!((outcome.err.lines().count(), outcome.status), (1, 1));
}

#[test]
fn insecure_believes_anybody() {
    let (_, config) = self_signed();
    let server = server::tls(config, server::echo);
    let outcome = run(&["--insecure", &server.url], "hello\n");
    assert_eq!(outcome, conversation(&server.url));
}

#[test]
fn a_file_of_authorities_is_trusted_for_the_names_it_signed() {
    let (pem, config) = self_signed();
    let server = server::tls(config, server::echo);
    let place = tempdir().unwrap();
    let file = place.path().join("ca.pem");
    fs::write(&file, pem).unwrap();
    let ca = format!("--ca={}", file.display());
    assert_eq!(run(&[&ca, &server.url], "hello\n"), conversation(&server.url));

    let by_address = server.url.replace("localhost", "127.0.0.1");
    let outcome = run(&[&ca, &by_address], "hello\n");
    assert!(outcome.err.contains("not valid for name"), "{}", outcome.err);
    assert_eq!(outcome.status, 1);
}

#[test]
fn a_file_without_authorities_is_named() {
    let (_, config) = self_signed();
    let server = server::tls(config, server::echo);
    let place = tempdir().unwrap();
    let empty = place.path().join("empty.pem");
    fs::write(&empty, "").unwrap();
    let missing = place.path().join("missing.pem");
    for (file, why) in
        [(&empty, "no certificate in this file"), (&missing, "No such file or directory")]
    {
        let outcome = run(&[&format!("--ca={}", file.display()), &server.url], "");
        assert!(outcome.err.contains(&format!("{}: ", file.display())), "{}", outcome.err);
        assert!(outcome.err.contains(why), "{}", outcome.err);
        assert_eq!((outcome.err.lines().count(), outcome.status), (1, 1));
    }
}

#[test]
fn a_server_without_tls_is_a_failure() {
    let server = server::tcp(server::echo);
    let url = server.url.replace("ws://", "wss://");
    let outcome = run(&["--insecure", &url], "");
    let start = format!("Failed to connect to {url}: TLS handshake failed: ");
    assert!(outcome.err.starts_with(&start), "{}", outcome.err);
    assert_eq!((outcome.err.lines().count(), outcome.status), (1, 1));
}
