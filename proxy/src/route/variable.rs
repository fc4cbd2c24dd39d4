//! What a `$name` can stand for.

use http::HeaderName;

use super::fact::{self, Fact};

/// A variable, found by name once; a request only matches on it. nginx's names are in the comments
/// where they are not the same in words.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Variable {
    /// The arguments of the request: `$args` and `$query_string`.
    Args,
    /// One argument: `$arg_NAME`; its name is compared without regard to case.
    Arg(Box<str>),
    /// The client's address in binary.
    BinaryRemoteAddr,
    /// Bytes of the body sent to the client.
    BodyBytesSent,
    /// Bytes sent to the client.
    BytesSent,
    /// The group `$1` to `$9` of the last pattern that matched.
    Capture(u8),
    /// The connection's serial number.
    Connection,
    /// The requests made over the connection.
    ConnectionRequests,
    /// Seconds since the connection was accepted, with milliseconds.
    ConnectionTime,
    /// Client connections that are open.
    ConnectionsActive,
    /// Those of them on which a head has begun to come.
    ConnectionsReading,
    /// Those of them on which nothing is asked.
    ConnectionsWaiting,
    /// The others.
    ConnectionsWriting,
    /// The request's Content-Length.
    ContentLength,
    /// The request's Content-Type.
    ContentType,
    /// One cookie: `$cookie_NAME`.
    Cookie(Box<str>),
    /// The Host of the request, normalised, or the server's name.
    Host,
    /// The machine's name.
    Hostname,
    /// A field of the request: `$http_NAME`.
    HttpHeader(HeaderName),
    /// `on` over TLS, else empty.
    Https,
    /// `?` when there are arguments, else empty.
    IsArgs,
    /// `:` when the request's host has a port, else empty.
    IsRequestPort,
    /// What `limit_conn` has made of it.
    LimitConnStatus,
    /// What `limit_req` has made of it.
    LimitReqStatus,
    /// Bytes of the answer per second; 0 is no limit. `set` may change it.
    LimitRate,
    /// The value of a `geo`, by its position.
    Geo(usize),
    /// The value of a `split_clients`, by its position.
    Split(usize),
    /// The value of a `map`, by its position.
    Map(usize),
    /// The time in seconds since 1970, with milliseconds.
    Msec,
    /// A named group of a pattern, by its position in [`Names`](super::Names).
    NamedCapture(usize),
    /// The version of nginx whose ways are followed.
    NginxVersion,
    /// The process id.
    Pid,
    /// `p` when the request was pipelined, else `.`.
    Pipe,
    /// `X-Forwarded-For` with the client's address appended.
    ProxyAddXForwardedFor,
    /// The host and port of `proxy_pass`.
    ProxyHost,
    /// The port of `proxy_pass`.
    ProxyPort,
    /// The address that the connection came from.
    RealipRemoteAddr,
    /// Its port.
    RealipRemotePort,
    /// The client's address.
    RemoteAddr,
    /// The client's port.
    RemotePort,
    /// The user name of Basic authentication.
    RemoteUser,
    /// The directory that files are looked for in.
    DocumentRoot,
    /// The same without symbolic links.
    RealpathRoot,
    /// The file that the path stands for.
    RequestFilename,
    /// The whole request line.
    Request,
    /// The body of the request, where it is small.
    RequestBody,
    /// `OK` when the request was completed, else empty.
    RequestCompletion,
    /// 32 hexadecimal digits, different for each request.
    RequestId,
    /// Bytes of the request: line, fields and body.
    RequestLength,
    /// The method.
    RequestMethod,
    /// The port of the request's host.
    RequestPort,
    /// Seconds since the request's first byte, with milliseconds.
    RequestTime,
    /// The target as the client sent it, arguments included.
    RequestUri,
    /// `http` or `https`.
    Scheme,
    /// A field of the answer: `$sent_http_NAME`.
    SentHttp(HeaderName),
    /// A trailer of the answer: `$sent_trailer_NAME`.
    SentTrailer(HeaderName),
    /// The address that accepted the request.
    ServerAddr,
    /// The name of the server that took the request.
    ServerName,
    /// The port that accepted the request.
    ServerPort,
    /// `HTTP/1.0` or `HTTP/1.1`.
    ServerProtocol,
    /// The status of the answer.
    Status,
    /// The local time in ISO 8601.
    TimeIso8601,
    /// The local time in the Common Log Format.
    TimeLocal,
    /// Addresses of the servers that were tried.
    UpstreamAddr,
    /// Bytes received from them.
    UpstreamBytesReceived,
    /// Bytes sent to them.
    UpstreamBytesSent,
    /// Seconds spent connecting to them.
    UpstreamConnectTime,
    /// A cookie that the upstream's answer sets: `$upstream_cookie_NAME`.
    UpstreamCookie(Box<str>),
    /// Seconds until their heads were received.
    UpstreamHeaderTime,
    /// A field of the upstream's answer: `$upstream_http_NAME`.
    UpstreamHttp(HeaderName),
    /// Bytes of their answers' bodies.
    UpstreamResponseLength,
    /// Seconds until their answers were received.
    UpstreamResponseTime,
    /// Status codes of their answers.
    UpstreamStatus,
    /// A trailer of the upstream's answer: `$upstream_trailer_NAME`.
    UpstreamTrailer(HeaderName),
    /// A variable of `set`, by its position.
    Set(usize),
    /// The normalised path: `$uri` and `$document_uri`.
    Uri,
    /// What a tunnel tells of itself: `$websocket_...`.
    WebSocket(Fact),
}

impl Variable {
    /// The variable that nginx has under this lower-case name, if we have it too.
    pub(super) fn built_in(name: &str) -> Option<Self> {
        BUILT_IN
            .iter()
            .find(|(built_in, _)| *built_in == name)
            .map(|(_, variable)| variable.clone())
            .or_else(|| {
                let fact = fact::NAMES.iter().find(|(its, _)| *its == name);
                fact.map(|(_, fact)| Self::WebSocket(*fact))
            })
            .or_else(|| by_prefix(name))
    }

    /// Whether nginx has a variable of this lower-case name that is missing here.
    pub(super) fn missing(name: &str) -> bool {
        MISSING.contains(&name) || MISSING_PREFIXES.iter().any(|prefix| name.starts_with(prefix))
    }

    /// Whether this lower-case name is one that a configuration cannot define anew.
    pub(super) fn reserved(name: &str) -> bool {
        // nginx marks these as changeable.
        !matches!(name, "args" | "limit_rate")
            && (MISSING.contains(&name) || BUILT_IN.iter().any(|(built_in, _)| *built_in == name))
    }
}

fn by_prefix(name: &str) -> Option<Variable> {
    // The longer prefixes first: `upstream_http_` holds `http_`, but not at its start.
    let header = |name: &str| HeaderName::from_bytes(name.replace('_', "-").as_bytes()).ok();
    if let Some(name) = name.strip_prefix("http_") {
        header(name).map(Variable::HttpHeader)
    } else if let Some(name) = name.strip_prefix("sent_http_") {
        header(name).map(Variable::SentHttp)
    } else if let Some(name) = name.strip_prefix("sent_trailer_") {
        header(name).map(Variable::SentTrailer)
    } else if let Some(name) = name.strip_prefix("upstream_http_") {
        header(name).map(Variable::UpstreamHttp)
    } else if let Some(name) = name.strip_prefix("upstream_trailer_") {
        header(name).map(Variable::UpstreamTrailer)
    } else if let Some(name) = name.strip_prefix("upstream_cookie_") {
        (!name.is_empty()).then(|| Variable::UpstreamCookie(name.into()))
    } else if let Some(name) = name.strip_prefix("arg_") {
        (!name.is_empty()).then(|| Variable::Arg(name.into()))
    } else if let Some(name) = name.strip_prefix("cookie_") {
        (!name.is_empty()).then(|| Variable::Cookie(name.into()))
    } else {
        None
    }
}

/// What the variables are worth in one request.
pub trait Values {
    /// Appends the variable's value. False when it has none (nginx's "not found"): then nothing is
    /// appended; a log line says `-`.
    ///
    /// [`Variable::Map`] leads back into [`Map`](super::Map): an implementation limits the depth
    /// (nginx: 100), for two maps may name each other.
    fn write(&self, variable: &Variable, out: &mut Vec<u8>) -> bool;
}

const BUILT_IN: &[(&str, Variable)] = &[
    ("args", Variable::Args),
    ("binary_remote_addr", Variable::BinaryRemoteAddr),
    ("body_bytes_sent", Variable::BodyBytesSent),
    ("bytes_sent", Variable::BytesSent),
    ("connection", Variable::Connection),
    ("connection_requests", Variable::ConnectionRequests),
    ("connection_time", Variable::ConnectionTime),
    ("connections_active", Variable::ConnectionsActive),
    ("connections_reading", Variable::ConnectionsReading),
    ("connections_waiting", Variable::ConnectionsWaiting),
    ("connections_writing", Variable::ConnectionsWriting),
    ("content_length", Variable::ContentLength),
    ("content_type", Variable::ContentType),
    ("document_root", Variable::DocumentRoot),
    ("document_uri", Variable::Uri),
    ("host", Variable::Host),
    ("hostname", Variable::Hostname),
    ("https", Variable::Https),
    ("is_args", Variable::IsArgs),
    ("is_request_port", Variable::IsRequestPort),
    ("limit_conn_status", Variable::LimitConnStatus),
    ("limit_rate", Variable::LimitRate),
    ("limit_req_status", Variable::LimitReqStatus),
    ("msec", Variable::Msec),
    ("nginx_version", Variable::NginxVersion),
    ("pid", Variable::Pid),
    ("pipe", Variable::Pipe),
    ("proxy_add_x_forwarded_for", Variable::ProxyAddXForwardedFor),
    ("proxy_host", Variable::ProxyHost),
    ("proxy_port", Variable::ProxyPort),
    ("query_string", Variable::Args),
    ("realip_remote_addr", Variable::RealipRemoteAddr),
    ("realip_remote_port", Variable::RealipRemotePort),
    ("realpath_root", Variable::RealpathRoot),
    ("remote_addr", Variable::RemoteAddr),
    ("remote_port", Variable::RemotePort),
    ("remote_user", Variable::RemoteUser),
    ("request", Variable::Request),
    ("request_body", Variable::RequestBody),
    ("request_completion", Variable::RequestCompletion),
    ("request_filename", Variable::RequestFilename),
    ("request_id", Variable::RequestId),
    ("request_length", Variable::RequestLength),
    ("request_method", Variable::RequestMethod),
    ("request_port", Variable::RequestPort),
    ("request_time", Variable::RequestTime),
    ("request_uri", Variable::RequestUri),
    ("scheme", Variable::Scheme),
    ("server_addr", Variable::ServerAddr),
    ("server_name", Variable::ServerName),
    ("server_port", Variable::ServerPort),
    ("server_protocol", Variable::ServerProtocol),
    ("status", Variable::Status),
    ("time_iso8601", Variable::TimeIso8601),
    ("time_local", Variable::TimeLocal),
    ("upstream_addr", Variable::UpstreamAddr),
    ("upstream_bytes_received", Variable::UpstreamBytesReceived),
    ("upstream_bytes_sent", Variable::UpstreamBytesSent),
    ("upstream_connect_time", Variable::UpstreamConnectTime),
    ("upstream_header_time", Variable::UpstreamHeaderTime),
    ("upstream_response_length", Variable::UpstreamResponseLength),
    ("upstream_response_time", Variable::UpstreamResponseTime),
    ("upstream_status", Variable::UpstreamStatus),
    ("uri", Variable::Uri),
];

/// The variables of nginx 1.31 that this proxy does not have.
const MISSING: &[&str] = &[
    "ancient_browser",
    "date_gmt",
    "date_local",
    "fastcgi_path_info",
    "fastcgi_script_name",
    "geoip_area_code",
    "geoip_city",
    "geoip_city_continent_code",
    "geoip_city_country_code",
    "geoip_city_country_code3",
    "geoip_city_country_name",
    "geoip_country_code",
    "geoip_country_code3",
    "geoip_country_name",
    "geoip_dma_code",
    "geoip_latitude",
    "geoip_longitude",
    "geoip_org",
    "geoip_postal_code",
    "geoip_region",
    "geoip_region_name",
    "grpc_internal_trailers",
    "http2",
    "http3",
    "modern_browser",
    "msie",
    "proxy_add_via",
    "proxy_internal_body_length",
    "proxy_internal_chunked",
    "proxy_protocol_addr",
    "proxy_protocol_port",
    "proxy_protocol_server_addr",
    "proxy_protocol_server_port",
    "request_body_file",
    "ssl_alpn_protocol",
    "ssl_cipher",
    "ssl_ciphers",
    "ssl_client_cert",
    "ssl_client_escaped_cert",
    "ssl_client_fingerprint",
    "ssl_client_i_dn",
    "ssl_client_i_dn_legacy",
    "ssl_client_raw_cert",
    "ssl_client_s_dn",
    "ssl_client_s_dn_legacy",
    "ssl_client_serial",
    "ssl_client_sigalg",
    "ssl_client_v_end",
    "ssl_client_v_remain",
    "ssl_client_v_start",
    "ssl_client_verify",
    "ssl_curve",
    "ssl_curves",
    "ssl_early_data",
    "ssl_ech_outer_server_name",
    "ssl_ech_status",
    "ssl_protocol",
    "ssl_server_name",
    "ssl_session_id",
    "ssl_session_reused",
    "ssl_sigalg",
    "ssl_sigalgs",
    "tcpinfo_rcv_space",
    "tcpinfo_rtt",
    "tcpinfo_rttvar",
    "tcpinfo_snd_cwnd",
    "upstream_cache_etag",
    "upstream_cache_last_modified",
    "upstream_cache_status",
];

/// Their prefixes.
const MISSING_PREFIXES: &[&str] = &["proxy_protocol_tlv_"];
