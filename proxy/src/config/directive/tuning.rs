//! Directives that only tune nginx's own machinery: read, checked as nginx checks them, noted.
//! What would change an answer does not belong here.

use super::super::parse::Statement;
use super::super::problem::Fault;
use super::super::value;
use super::table::{Arity, Check, Context, Directive, Done, Effect};
use super::walk::argument_says;

const ANYWHERE: &[Context] = &[Context::Http, Context::Server, Context::Location];
const SERVERS: &[Context] = &[Context::Http, Context::Server];
const HTTP: &[Context] = &[Context::Http];
const EVENTS: &[Context] = &[Context::Events];
const MAIN: &[Context] = &[Context::Main];

const FILES: &str = "files are read in this proxy's own way";
const KERNEL: &str = "how bytes are handed to the system is this proxy's own matter";
const HASH: &str = "tables find their own size";
const MEMORY: &str = "memory is not taken from pools";
const STREAM: &str = "bodies are streamed both ways, nothing is buffered whole";
const SINGLE: &str = "what is kept of a body for `$request_body` is in one piece";
const NO_FILES: &str =
    "bodies are streamed, none is written to a file, so there is no `$request_body_file`";
const THREADS: &str = "the threads share their listeners without it";
const EVENT_LOOP: &str = "the runtime waits for events in its own way";
const DEBUG: &str = "it is for finding faults in nginx";
const PLACED: &str = "threads run as the system and its service manager place them";
const REGEX: &str = "patterns are compiled by another library";

const fn row(
    name: &'static str,
    contexts: &'static [Context],
    check: Check,
    why: &'static str,
    example: &'static str,
) -> Directive {
    let arity = if matches!(check, Check::Buffers) { Arity::TWO } else { Arity::ONE };
    Directive {
        name,
        contexts,
        arity,
        block: false,
        effect: Effect::Note(check, why),
        example,
        means: why,
    }
}

/// A row that takes another number of arguments than its check asks for.
const fn sized(row: Directive, arity: Arity) -> Directive {
    Directive { arity, ..row }
}

pub(super) const DIRECTIVES: &[Directive] = &[
    row("sendfile", ANYWHERE, Check::Switch, FILES, "sendfile on;"),
    row("sendfile_max_chunk", ANYWHERE, Check::Size, FILES, "sendfile_max_chunk 1m;"),
    row("tcp_nopush", ANYWHERE, Check::Switch, KERNEL, "tcp_nopush on;"),
    row("aio", ANYWHERE, Check::Own(aio), FILES, "aio threads;"),
    row("aio_write", ANYWHERE, Check::Switch, FILES, "aio_write on;"),
    row("directio", ANYWHERE, Check::Own(directio), FILES, "directio 4m;"),
    row("directio_alignment", ANYWHERE, Check::Size, FILES, "directio_alignment 512;"),
    row("output_buffers", ANYWHERE, Check::Buffers, FILES, "output_buffers 2 32k;"),
    row("read_ahead", ANYWHERE, Check::Size, FILES, "read_ahead 0;"),
    row("postpone_output", ANYWHERE, Check::Size, KERNEL, "postpone_output 1460;"),
    row("send_lowat", ANYWHERE, Check::Size, KERNEL, "send_lowat 0;"),
    sized(
        row(
            "open_file_cache",
            ANYWHERE,
            Check::Own(open_file_cache),
            FILES,
            "open_file_cache off;",
        ),
        Arity(1, 2),
    ),
    row("open_file_cache_errors", ANYWHERE, Check::Switch, FILES, "open_file_cache_errors on;"),
    row("open_file_cache_min_uses", ANYWHERE, Check::Number, FILES, "open_file_cache_min_uses 2;"),
    row("open_file_cache_valid", ANYWHERE, Check::Time, FILES, "open_file_cache_valid 60s;"),
    row("types_hash_max_size", ANYWHERE, Check::Number, HASH, "types_hash_max_size 2048;"),
    row("types_hash_bucket_size", ANYWHERE, Check::Number, HASH, "types_hash_bucket_size 64;"),
    row(
        "proxy_headers_hash_max_size",
        ANYWHERE,
        Check::Number,
        HASH,
        "proxy_headers_hash_max_size 512;",
    ),
    row(
        "proxy_headers_hash_bucket_size",
        ANYWHERE,
        Check::Number,
        HASH,
        "proxy_headers_hash_bucket_size 64;",
    ),
    row("server_names_hash_max_size", HTTP, Check::Number, HASH, "server_names_hash_max_size 512;"),
    row(
        "server_names_hash_bucket_size",
        HTTP,
        Check::Number,
        HASH,
        "server_names_hash_bucket_size 64;",
    ),
    row("variables_hash_max_size", HTTP, Check::Number, HASH, "variables_hash_max_size 1024;"),
    row("variables_hash_bucket_size", HTTP, Check::Number, HASH, "variables_hash_bucket_size 64;"),
    row("map_hash_max_size", HTTP, Check::Number, HASH, "map_hash_max_size 2048;"),
    row("map_hash_bucket_size", HTTP, Check::Number, HASH, "map_hash_bucket_size 64;"),
    row("connection_pool_size", SERVERS, Check::Size, MEMORY, "connection_pool_size 512;"),
    row("request_pool_size", SERVERS, Check::Size, MEMORY, "request_pool_size 4k;"),
    row("proxy_request_buffering", ANYWHERE, Check::Switch, STREAM, "proxy_request_buffering off;"),
    row("proxy_max_temp_file_size", ANYWHERE, Check::Size, STREAM, "proxy_max_temp_file_size 0;"),
    row(
        "proxy_temp_file_write_size",
        ANYWHERE,
        Check::Size,
        STREAM,
        "proxy_temp_file_write_size 8k;",
    ),
    sized(
        row("proxy_temp_path", ANYWHERE, Check::Anything, STREAM, "proxy_temp_path temp 1 2;"),
        Arity(1, 4),
    ),
    row("proxy_send_lowat", ANYWHERE, Check::Size, KERNEL, "proxy_send_lowat 0;"),
    sized(
        row(
            "client_body_temp_path",
            ANYWHERE,
            Check::Anything,
            STREAM,
            "client_body_temp_path temp 1 2;",
        ),
        Arity(1, 4),
    ),
    row(
        "client_body_in_single_buffer",
        ANYWHERE,
        Check::Switch,
        SINGLE,
        "client_body_in_single_buffer on;",
    ),
    row(
        "client_body_in_file_only",
        ANYWHERE,
        Check::OneOf(&["off", "on", "clean"]),
        NO_FILES,
        "client_body_in_file_only off;",
    ),
    row("accept_mutex", EVENTS, Check::Switch, THREADS, "accept_mutex off;"),
    row("accept_mutex_delay", EVENTS, Check::Time, THREADS, "accept_mutex_delay 500ms;"),
    row("multi_accept", EVENTS, Check::Switch, THREADS, "multi_accept on;"),
    row("epoll_events", EVENTS, Check::Number, EVENT_LOOP, "epoll_events 512;"),
    row("worker_aio_requests", EVENTS, Check::Number, FILES, "worker_aio_requests 32;"),
    row("debug_connection", EVENTS, Check::Anything, DEBUG, "debug_connection 127.0.0.1;"),
    sized(
        row(
            "worker_cpu_affinity",
            MAIN,
            Check::Own(cpu_affinity),
            PLACED,
            "worker_cpu_affinity auto;",
        ),
        Arity::SOME,
    ),
    row("worker_priority", MAIN, Check::Own(priority), PLACED, "worker_priority -5;"),
    row("worker_rlimit_core", MAIN, Check::Size, PLACED, "worker_rlimit_core 1m;"),
    sized(
        row("thread_pool", MAIN, Check::Own(thread_pool), FILES, "thread_pool default threads=32;"),
        Arity(2, 3),
    ),
    row("timer_resolution", MAIN, Check::Time, EVENT_LOOP, "timer_resolution 100ms;"),
    row("pcre_jit", MAIN, Check::Switch, REGEX, "pcre_jit on;"),
    row("lock_file", MAIN, Check::Anything, THREADS, "lock_file proxy.lock;"),
    row("debug_points", MAIN, Check::OneOf(&["stop", "abort"]), DEBUG, "debug_points stop;"),
];

fn aio(statement: &Statement) -> Done {
    let text = statement.arg(0).value.as_str();
    let right = ["on", "off", "threads"].contains(&text) || text.starts_with("threads=");
    if right { Ok(()) } else { Err(argument_says(statement, "invalid value")) }
}

fn directio(statement: &Statement) -> Done {
    let text = statement.arg(0).value.as_str();
    let right = text == "off" || value::offset(text).is_some();
    if right { Ok(()) } else { Err(argument_says(statement, "invalid value")) }
}

fn priority(statement: &Statement) -> Done {
    let text = statement.arg(0).value.as_str();
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    match value::number(digits) {
        Some(_) => Ok(()),
        None => Err(argument_says(statement, "invalid number")),
    }
}

fn open_file_cache(statement: &Statement) -> Done {
    let right = |text: &str| match text.split_once('=') {
        Some(("max", count)) => value::number(count).is_some_and(|n| n > 0),
        Some(("inactive", time)) => value::seconds(time).is_some(),
        _ => text == "off",
    };
    match statement.args.iter().find(|word| !right(&word.value)) {
        None => Ok(()),
        Some(word) => {
            let message = format!("invalid \"open_file_cache\" parameter \"{}\"", word.value);
            Err(Fault::at(word.span, message))
        }
    }
}

fn cpu_affinity(statement: &Statement) -> Done {
    let masks =
        statement.args.iter().enumerate().filter(|(i, word)| *i > 0 || word.value != "auto");
    for (_, word) in masks {
        if let Some(other) = word.value.chars().find(|c| !matches!(c, '0' | '1' | ' ')) {
            let message = format!("invalid character \"{other}\" in \"worker_cpu_affinity\"");
            return Err(Fault::at(word.span, message));
        }
    }
    Ok(())
}

fn thread_pool(statement: &Statement) -> Done {
    let threads = |text: &str| value::number(text).is_some_and(|n| n > 0);
    let mut found = false;
    for word in statement.args.iter().skip(1) {
        let (known, right) = match word.value.split_once('=') {
            Some(("threads", count)) => {
                found = true;
                ("threads", threads(count))
            }
            Some(("max_queue", count)) => ("max_queue", value::number(count).is_some()),
            _ => continue, // nginx does not look at anything else
        };
        if !right {
            let message = format!("invalid {known} value \"{}\"", word.value);
            return Err(Fault::at(word.span, message));
        }
    }
    if found {
        return Ok(());
    }
    let message = "\"thread_pool\" must have \"threads\" parameter";
    Err(Fault::at(statement.arg(0).span, message))
}
