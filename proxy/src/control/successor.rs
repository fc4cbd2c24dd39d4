//! The program image that takes this one's place: the same arguments, the file that is there now.

use std::convert::Infallible;
use std::ffi::{CString, OsString};
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::path::PathBuf;
use std::process::{Output, Stdio};
use std::time::Duration;

use nix::unistd::execve;
use tokio::process::Command;
use tokio::time::{Instant, timeout};

use super::account::keep_powers;
use super::activation;
use super::handover::{CHECK, FORMAT, Handover, VARIABLE};
use super::pid_file::PidFile;
use super::proxy::Proxy;
use super::signals;
use crate::net::Inherited;
use crate::observe::errno;

/// How long the new binary may think about its fitness.
const THOUGHT: Duration = Duration::from_secs(10);

/// How long requests that are under way may take to finish.
const PATIENCE: Duration = Duration::from_secs(5);

/// Who takes this image's place.
#[derive(Debug)]
pub(super) struct Successor {
    binary: PathBuf,
    args: Vec<OsString>,
    /// Whether root has started the process.
    superuser: bool,
    /// Variables that have another value there.
    left: Vec<(&'static str, String)>,
}

/// Why it did not.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unfit {
    /// It cannot be run.
    #[error("\"{}\" cannot be run ({})", .0.display(), errno(.1))]
    Binary(PathBuf, io::Error),
    /// It does not end.
    #[error("\"{}\" has not answered in {} s", .0.display(), THOUGHT.as_secs())]
    Mute(PathBuf),
    /// It is no proxy, or one that does not know how.
    #[error("\"{}\" cannot go on with connections of this one: {}", .0.display(), .1)]
    Stranger(PathBuf, String),
    /// It does not take the configuration.
    #[error("\"{}\" does not accept the configuration: {}", .0.display(), .1)]
    Refuses(PathBuf, String),
    /// The system refused.
    #[error("{0} failed ({error})", error = errno(.1))]
    System(&'static str, io::Error),
    /// The proxy is about to end anyway.
    #[error("the proxy is ending")]
    Ending,
}

impl Unfit {
    /// Nobody knows where this image came from.
    pub(super) fn unknown(error: &io::Error) -> Self {
        Self::System("readlink(\"/proc/self/exe\")", io::Error::from(error.kind()))
    }
}

impl Successor {
    /// Whatever will be where this image came from.
    ///
    /// # Errors
    /// The system does not tell where that is.
    pub(super) fn of_this(superuser: bool, left: Vec<(&'static str, String)>) -> io::Result<Self> {
        let args = std::env::args_os().collect();
        Ok(Self { binary: std::env::current_exe()?, args, superuser, left })
    }

    /// Has it take over, if it can. Until it is sure that it can, nothing happens; when the system
    /// then refuses all the same, this image goes on.
    ///
    /// # Errors
    /// Why this image goes on.
    pub(super) async fn take_over(
        &self,
        proxy: &Proxy,
        pid_file: Option<&PidFile>,
    ) -> Result<Infallible, Unfit> {
        if !proxy.serves() {
            return Err(Unfit::Ending);
        }
        self.check().await?;
        let mut handover = proxy.handover().map_err(|error| Unfit::System("dup()", error))?;
        handover.superuser = self.superuser;
        handover.pid_file = pid_file
            .map(PidFile::bequeath)
            .transpose()
            .map_err(|error| Unfit::System("dup()", error))?;
        let packed = proxy.pack(Instant::now() + PATIENCE).await;
        let (since, parcels) = packed.map_err(|error| Unfit::System("eventfd()", error))?;
        handover.past = proxy.survey.bequeath().await;
        handover.note_pause(since.elapsed());
        proxy.leave_to(&mut handover, parcels);
        let refused = self.call(&handover);
        proxy.go_on(handover.take_back());
        refused
    }

    /// Whether it is a proxy that can go on with what this one leaves, and takes the configuration.
    async fn check(&self) -> Result<(), Unfit> {
        let version = self.ask(&["-V".into()]).await?;
        let text = String::from_utf8_lossy(&version.stderr).into_owned();
        let told = text.lines().find_map(|line| line.strip_prefix("handover format: "));
        if told != Some(&FORMAT.to_string()) {
            let why = match told {
                Some(other) => format!("its handover format is {other}, ours {FORMAT}"),
                None => "it knows of no handover".to_owned(),
            };
            return Err(Unfit::Stranger(self.binary.clone(), why));
        }
        let mut args = vec!["-t".into(), "-q".into()];
        args.extend(self.args.iter().skip(1).cloned());
        let test = self.ask(&args).await?;
        if !test.status.success() {
            let said = String::from_utf8_lossy(&test.stderr);
            let said = said.lines().next().unwrap_or_default().to_owned();
            return Err(Unfit::Refuses(self.binary.clone(), said));
        }
        Ok(())
    }

    async fn ask(&self, args: &[OsString]) -> Result<Output, Unfit> {
        let mut command = Command::new(&self.binary);
        command.args(args).env(VARIABLE, CHECK).stdin(Stdio::null()).kill_on_drop(true);
        match timeout(THOUGHT, command.output()).await {
            Ok(Ok(output)) => Ok(output),
            Ok(Err(error)) => Err(Unfit::Binary(self.binary.clone(), error)),
            Err(_) => Err(Unfit::Mute(self.binary.clone())),
        }
    }

    /// Makes this process the new image. Signals wait until that has its ears open.
    fn call(&self, handover: &Handover) -> Result<Infallible, Unfit> {
        let file = handover.write().map_err(|error| Unfit::System("memfd_create()", error))?;
        let (binary, args, environment) =
            self.words(&file).map_err(|error| Unfit::System("execve()", error))?;
        keep_powers().map_err(|error| Unfit::System("prctl(PR_CAP_AMBIENT)", error))?;
        signals::hold().map_err(|error| Unfit::System("sigprocmask()", error))?;
        let Err(refused) = execve(&binary, &args, &environment);
        // They would be held for ever, but what else is there to try?
        let _ = signals::release();
        Err(Unfit::System("execve()", refused.into()))
    }

    /// The path, the arguments and the environment of the call.
    fn words(&self, file: &Inherited) -> io::Result<(CString, Vec<CString>, Vec<CString>)> {
        let text = |bytes: &[u8]| CString::new(bytes).map_err(io::Error::from);
        let args = self.args.iter().map(|arg| text(arg.as_bytes()));
        let mut known = self.left.iter().map(|(name, _)| *name).collect::<Vec<_>>();
        known.extend(activation::VARIABLES.iter().chain([&VARIABLE]));
        let others = std::env::vars_os().filter(|(name, _)| !known.iter().any(|it| name == it));
        let pairs =
            others.map(|(name, value)| text(&[name.as_bytes(), b"=", value.as_bytes()].concat()));
        let left = self.left.iter().map(|(name, value)| format!("{name}={value}"));
        let own = left.chain([format!("{VARIABLE}={file}")]).map(|pair| text(pair.as_bytes()));
        Ok((
            text(self.binary.as_os_str().as_bytes())?,
            args.collect::<io::Result<_>>()?,
            pairs.chain(own).collect::<io::Result<_>>()?,
        ))
    }
}
