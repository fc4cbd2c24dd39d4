//! What the command line prints: on standard error, as nginx does, but for `-T`.

use std::io::{self, Write};

use crate::config::{Config, Problem, Spanned};

/// The version line.
pub(super) const VERSION: &str = concat!("proxy version: proxy/", env!("CARGO_PKG_VERSION"), "\n");

/// The options.
pub(super) const USAGE: &str = "\
Usage: proxy [-?hvVtTq] [-s signal] [-p prefix]
             [-e filename] [-c filename] [-g directives]
       proxy [--listen address...] [--upstream address...]
       proxy status [--json] URL

Options:
  -?,-h         : this help
  -v            : show version and exit
  -V            : show version and configure options then exit
  -t            : test configuration and exit
  -T            : test configuration, dump it and exit
  -q            : suppress non-error messages during configuration testing
  -s signal     : send signal to the process that the pid file names:
                  stop, quit, reopen, reload, upgrade
  -p prefix     : set prefix path (default: the working directory)
  -e filename   : set error log file (default: stderr)
  -c filename   : set configuration file (default: a built-in one, see below)
  -g directives : set global directives out of configuration file

  --listen address...    : where to listen (default: localhost:8080)
  --upstream address...  : whom to balance over: unix:PATH, HOST:PORT, or a
                           pattern such as 'unix:run/*.sock' (default:
                           unix:websockets-test_00.sock to _03.sock)

  status URL   : how a running proxy is, asked for at a location of it that
                 says \"status json;\": http://HOST:PORT/PATH, or
                 http://unix:SOCKET:/PATH; --json prints what it answered

Without -c the configuration is that of the guide: WebSocket connections to
the listening address are balanced over the upstream's servers by least_conn.
";

/// Prints on standard error; there is nowhere to say that this failed.
pub(super) fn say(text: &str) {
    let _ = io::stderr().write_all(text.as_bytes());
}

/// nginx's line for what ends a start, and the place with a caret under it.
pub(super) fn complain(problem: &Problem) {
    let mut text = format!("proxy: [emerg] {problem}\n");
    let picture = problem.render();
    if !picture.is_empty() {
        text.push_str(&picture);
        text.push('\n');
    }
    say(&text);
}

/// nginx's line for an error that has no place in a file.
pub(super) fn emerg(error: &dyn std::fmt::Display) {
    say(&format!("proxy: [emerg] {error}\n"));
}

/// What `-t` says of directives that were read but have no effect here.
pub(super) fn notes(config: &Config) {
    sentences("notice", &config.notes, config);
}

/// What nginx warns of whenever it reads a configuration.
pub(super) fn warnings(config: &Config) {
    sentences("warn", &config.warnings, config);
}

fn sentences(level: &str, sentences: &[Spanned<String>], config: &Config) {
    for said in sentences {
        let place = config.sources.place(said.span);
        say(&format!("proxy: [{level}] {} in {place}\n", said.value));
    }
}

/// What `-T` prints on standard output.
pub(super) fn dump(config: &Config) {
    // A reader that has gone, such as `head`, has seen what it wanted.
    let _ = io::stdout().write_all(&config.sources.dump());
}
