//! From the arguments to the exit code.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use super::args::Args;
use super::{status, words};
use crate::config::model::{ErrorLog, LogLevel, LogTarget};
use crate::config::{BUILT_IN, Config, Loader, Problem, Span, Spanned, modules};
use crate::control::{self, Error, FORMAT, Handover, Order, StartLog};

/// The whole program, but for ending the process: 0 and 1 as nginx.
pub fn main(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    let mut args = args.into_iter().peekable();
    if args.next_if(|arg| arg == "status").is_some() {
        return status::main(args.map(|arg| arg.to_string_lossy().into_owned()));
    }
    let args = match Args::parse(args) {
        Ok(args) => args,
        Err(misuse) => {
            words::say(&format!("proxy: {misuse}\n"));
            return ExitCode::FAILURE;
        }
    };
    if args.help || args.version || args.configure {
        tell(&args);
        return ExitCode::SUCCESS;
    }
    let log = start_log(&args);
    // Only who is going to serve takes over what another image has left.
    let serves = !args.test && args.signal.is_none();
    let handover = match serves.then(Handover::receive).transpose() {
        Ok(handover) => handover.flatten(),
        Err(error) => {
            words::emerg(&format_args!(
                "what the binary before this one left cannot be read: {error}"
            ));
            return ExitCode::FAILURE;
        }
    };
    let is_root = || nix::unistd::geteuid().is_root();
    let superuser = handover.as_ref().map_or_else(is_root, |handover| handover.superuser);
    let config = match load(&args, superuser) {
        Ok(config) => config,
        Err(problem) => {
            if let Some(log) = log {
                log.emerg(&problem);
            }
            if args.test {
                fail(&args, &problem);
            } else {
                words::complain(&problem);
            }
            return ExitCode::FAILURE;
        }
    };
    if !args.quiet {
        words::warnings(&config);
    }
    let done = match args.signal {
        _ if args.test => test(&args, &config),
        Some(order) => tell_running(&config, order),
        None => serve(&args, &config, handover, superuser),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(()) => ExitCode::FAILURE,
    }
}

fn tell(args: &Args) {
    words::say(words::VERSION);
    if args.configure {
        words::say(concat!("built with Rust ", env!("CARGO_PKG_RUST_VERSION"), " or newer\n"));
        words::say(&format!("handover format: {FORMAT}\n"));
        words::say(&format!("configure arguments: {}\n", modules().join(" ")));
    }
    if args.help {
        words::say(words::USAGE);
    }
}

/// `-e`, where it is a file; nginx goes on without one that it cannot open.
fn start_log(args: &Args) -> Option<StartLog> {
    let path = args.error_log.as_ref().filter(|path| path.as_os_str() != "stderr")?;
    let log = StartLog::open(&loader(args).full_path(path));
    log.inspect_err(|error| {
        words::say(&format!("proxy: [alert] could not open error log file: {error}\n"));
    })
    .ok()
}

fn loader(args: &Args) -> Loader {
    let mut loader = Loader::new();
    if let Some(prefix) = &args.prefix {
        loader = loader.prefix(prefix);
    }
    if let Some(globals) = &args.globals {
        loader = loader.globals(globals);
    }
    loader
}

/// The configuration file as messages name it.
fn name(args: &Args) -> PathBuf {
    match &args.conf {
        Some(conf) => loader(args).full_path(conf),
        None => BUILT_IN.into(),
    }
}

fn load(args: &Args, superuser: bool) -> Result<Config, Problem> {
    let loader = loader(args).superuser(superuser);
    let mut config = match &args.conf {
        Some(conf) => loader.load_file(conf)?,
        None => {
            let listen: Vec<&str> = args.listen.iter().map(String::as_str).collect();
            let upstream: Vec<&str> = args.upstream.iter().map(String::as_str).collect();
            Config::balancer_with(&loader, &listen, &upstream)?
        }
    };
    if let (Some(path), true) = (&args.error_log, config.error_log.is_empty()) {
        config.error_log.push(default_log(args, path));
    }
    Ok(config)
}

/// `-e`: where errors go when the configuration does not say.
fn default_log(args: &Args, path: &Path) -> ErrorLog {
    let value = if path.as_os_str() == "stderr" {
        LogTarget::Stderr
    } else {
        LogTarget::File(loader(args).full_path(path))
    };
    let span = Span { file: usize::MAX, line: 0, start: 0, end: 0 };
    ErrorLog { target: Spanned { value, span }, level: LogLevel::Notice }
}

fn test(args: &Args, config: &Config) -> Result<(), ()> {
    if let Err(error) = control::check(config) {
        match error {
            Error::Config(problem) => fail(args, &problem),
            other => fail(args, &Problem::beyond_syntax(other.to_string())),
        }
        return Err(());
    }
    if !args.quiet {
        let file = name(args);
        let file = file.display();
        words::say(&format!("proxy: the configuration file {file} syntax is ok\n"));
        words::notes(config);
        words::say(&format!("proxy: configuration file {file} test is successful\n"));
    }
    if args.dump {
        words::dump(config);
    }
    Ok(())
}

/// What `-t` says of a bad file.
fn fail(args: &Args, problem: &Problem) {
    let file = name(args);
    let file = file.display();
    if problem.is_beyond_syntax() && !args.quiet {
        words::say(&format!("proxy: the configuration file {file} syntax is ok\n"));
    }
    words::complain(problem);
    words::say(&format!("proxy: configuration file {file} test failed\n"));
}

/// `-s`: a signal to the process that the pid file names.
fn tell_running(config: &Config, order: Order) -> Result<(), ()> {
    control::send(config, order).map_err(|unsent| {
        words::say(&format!("proxy: [{}] {unsent}\n", unsent.level()));
    })
}

fn serve(
    args: &Args,
    config: &Config,
    handover: Option<Handover>,
    superuser: bool,
) -> Result<(), ()> {
    if args.conf.is_none() {
        words::say(
            "proxy: no -c: using the built-in configuration, which -T prints (-h for help)\n",
        );
    }
    let outcome = control::run(config, handover, superuser, || load(args, superuser));
    outcome.map_err(|error| match error {
        Error::Config(problem) => words::complain(&problem),
        other => words::emerg(&other),
    })
}
