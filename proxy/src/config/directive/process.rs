//! The process: `daemon`, `master_process`, `pid`, `user`, `worker_processes`,
//! `worker_rlimit_nofile`, `worker_shutdown_timeout`.

use super::super::inherit::MainDraft;
use super::super::model::User;
use super::super::parse::Statement;
use super::super::source::Spanned;
use super::super::value;
use super::table::{Arity, Context, Directive, Done, Effect};
use super::walk::{Walk, argument_says, number, once, switch, time};

const fn row(
    name: &'static str,
    arity: Arity,
    effect: fn(&mut Walk, &mut MainDraft, &Statement) -> Done,
    example: &'static str,
    means: &'static str,
) -> Directive {
    let contexts = &[Context::Main];
    Directive { name, contexts, arity, block: false, effect: Effect::Main(effect), example, means }
}

pub(super) const DIRECTIVES: &[Directive] = &[
    row(
        "daemon",
        Arity::ONE,
        |_, m, s| once(&mut m.daemon, s, switch),
        "daemon off;",
        "Whether to go to the background. Default `on`.",
    ),
    row(
        "master_process",
        Arity::ONE,
        |_, m, s| once(&mut m.master_process, s, switch),
        "master_process on;",
        "There is one process either way, and its workers are threads; `off` means one of them. \
         Default `on`.",
    ),
    row(
        "pid",
        Arity::ONE,
        pid,
        "pid proxy.pid;",
        "Where the process id is written; removed at the end. No default, where nginx has \
         `logs/nginx.pid`.",
    ),
    row(
        "user",
        Arity(1, 2),
        user,
        "user nobody nogroup;",
        "Whom to become once the listeners are bound and the logs are open, when started by root; \
         the log files are given to that user, and the right to bind low ports stays, for reloads. \
         No default: root stays root, where nginx's workers become `nobody`.",
    ),
    row(
        "worker_processes",
        Arity::ONE,
        worker_processes,
        "worker_processes auto;",
        "The number of worker threads. Default `auto`, one per core, where nginx has 1.",
    ),
    row(
        "worker_rlimit_nofile",
        Arity::ONE,
        |_, m, s| once(&mut m.worker_rlimit_nofile, s, number),
        "worker_rlimit_nofile 65536;",
        "The limit on descriptors. Default: as high as the system allows this process. The threads \
         share it, and let nobody in whom they could not give a server.",
    ),
    row(
        "worker_shutdown_timeout",
        Arity::ONE,
        |_, m, s| once(&mut m.worker_shutdown_timeout, s, time),
        "worker_shutdown_timeout 1h;",
        "How long QUIT waits for connections and tunnels. Default: for ever.",
    ),
];

fn pid(walk: &mut Walk, main: &mut MainDraft, statement: &Statement) -> Done {
    once(&mut main.pid, statement, |s| {
        let word = s.arg(0);
        Ok(Spanned { value: walk.full_path(&word.value), span: word.span })
    })
}

fn user(_: &mut Walk, main: &mut MainDraft, statement: &Statement) -> Done {
    once(&mut main.user, statement, |s| {
        let word = s.arg(0);
        let group = s.args.get(1).map(|group| group.value.clone());
        Ok(Spanned { value: User { name: word.value.clone(), group }, span: word.span })
    })
}

fn worker_processes(_: &mut Walk, main: &mut MainDraft, statement: &Statement) -> Done {
    once(&mut main.worker_processes, statement, |s| {
        let text = s.arg(0).value.as_str();
        if text == "auto" {
            return Ok(None);
        }
        let count = value::number(text).filter(|n| *n > 0).and_then(|n| usize::try_from(n).ok());
        count.map(Some).ok_or_else(|| argument_says(s, "invalid value"))
    })
}
