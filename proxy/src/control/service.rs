//! The service manager that has started the process, and what it is told: systemd's protocol,
//! sd_notify(3). Without `NOTIFY_SOCKET` nobody is told anything.

use std::cell::RefCell;
use std::convert::Infallible;
use std::ffi::OsString;
use std::io::{self, ErrorKind::Interrupted};
use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::pin::pin;
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};
use tokio::time::{Interval, MissedTickBehavior, interval, timeout};

use super::proxy::Proxy;
use crate::balance::PeerState;
use crate::observe::Level;

/// How often it is told anew how the proxy is, at most.
const REST: Duration = Duration::from_secs(3);

/// How long it may keep us waiting. It is not worth more than the signals that wait meanwhile.
const PATIENCE: Duration = Duration::from_secs(1);

/// The service manager.
#[derive(Debug)]
pub(super) struct Service {
    manager: Option<Manager>,
    /// How long it may hear nothing of us before it takes us for stuck.
    watchdog: Option<Duration>,
    /// Why the last change was not made.
    trouble: RefCell<Option<String>>,
    /// How the proxy was when it was told last.
    told: RefCell<String>,
}

#[derive(Debug)]
struct Manager {
    socket: UnixDatagram,
    address: SocketAddr,
}

impl Service {
    /// The one that the environment names. Ask before the process goes to the background: the
    /// watchdog is meant for the process that was started.
    pub(super) fn from_environment() -> Self {
        Self::new(|name| std::env::var_os(name))
    }

    fn new(variable: impl Fn(&str) -> Option<OsString>) -> Self {
        let manager = variable("NOTIFY_SOCKET").and_then(|path| Manager::at(&path).ok());
        let number = |name| variable(name)?.to_str()?.parse::<u64>().ok();
        let others = number(WATCHDOG_PID).is_some_and(|pid| pid != u64::from(std::process::id()));
        let watchdog = number("WATCHDOG_USEC").filter(|period| *period > 0 && !others);
        Self {
            watchdog: watchdog.filter(|_| manager.is_some()).map(Duration::from_micros),
            manager,
            trouble: RefCell::default(),
            told: RefCell::default(),
        }
    }

    /// The process has another number than before.
    pub(super) fn moved(&self) {
        self.tell(&format!("MAINPID={}", std::process::id()));
    }

    /// It serves, now or again.
    pub(super) fn ready(&self, proxy: &Proxy) {
        // What is ending stays so: another word would have the manager wait for what never comes.
        if proxy.serves() {
            self.tell_with_status("READY=1", proxy);
        }
    }

    /// Something else is about to be served, or by another program image.
    pub(super) fn begin_change(&self, proxy: &Proxy) {
        if !proxy.serves() {
            return;
        }
        let now = clock_gettime(ClockId::Monotonic);
        let micros = i128::from(now.tv_sec) * 1_000_000 + i128::from(now.tv_nsec) / 1_000;
        self.tell(&format!("RELOADING=1\nMONOTONIC_USEC={micros}"));
    }

    /// It is, or it is not, and why. What serves is ready in either case.
    pub(super) fn end_change(&self, proxy: &Proxy, trouble: Option<String>) {
        self.trouble.replace(trouble);
        self.ready(proxy);
    }

    /// The proxy is on its way to its end.
    pub(super) fn stopping(&self, proxy: &Proxy) {
        self.tell_with_status("STOPPING=1", proxy);
    }

    /// Says how the proxy is when that has changed, and that it lives, for as long as it does.
    /// Never ends.
    pub(super) async fn attend(&self, proxy: &Proxy) -> Infallible {
        if self.manager.is_some() {
            tokio::join!(self.report(proxy), self.show_life(proxy));
        }
        std::future::pending().await
    }

    /// What the next program image is to find in its environment: the watchdog of a process that
    /// went to the background is meant for it all the same.
    pub(super) fn left(&self) -> Vec<(&'static str, String)> {
        let watched = self.watchdog.map(|_| (WATCHDOG_PID, std::process::id().to_string()));
        watched.into_iter().collect()
    }

    async fn report(&self, proxy: &Proxy) {
        let mut tick = lazy(REST);
        loop {
            tick.tick().await;
            if *self.told.borrow() != self.status(proxy) {
                self.tell_with_status("", proxy);
            }
        }
    }

    /// Twice in the time of the watchdog, but only when every thread has answered: a thread that
    /// is stuck holds all of its connections up, which only a new process helps.
    async fn show_life(&self, proxy: &Proxy) {
        let Some(period) = self.watchdog.map(|watchdog| watchdog / 2) else { return };
        let mut tick = lazy(period);
        loop {
            tick.tick().await;
            let mut answer = pin!(proxy.is_alive());
            let alive = match timeout(period, &mut answer).await {
                Ok(alive) => alive,
                Err(_) => {
                    proxy.error_log().log(
                        Level::Alert,
                        format_args!("a worker thread does not answer: the watchdog is not told"),
                    );
                    answer.await
                }
            };
            if alive {
                self.tell("WATCHDOG=1");
            }
        }
    }

    fn tell_with_status(&self, what: &str, proxy: &Proxy) {
        if self.manager.is_none() {
            return;
        }
        let status = self.status(proxy);
        self.tell(&format!("{what}\nSTATUS={status}"));
        self.told.replace(status);
    }

    /// How the proxy is, in one line.
    fn status(&self, proxy: &Proxy) -> String {
        let tunnels = counted(proxy.counts().tunnels, "tunnel");
        if !proxy.serves() {
            return format!("ending, {tunnels} left");
        }
        let upstreams = proxy.servers();
        let (mut all, mut away) = (0, 0);
        for server in upstreams.iter().flat_map(|upstream| &upstream.servers) {
            all += 1;
            away += u64::from(matches!(server.state, PeerState::Benched | PeerState::Down));
        }
        let mut status = format!("{tunnels} on {}", counted(all, "server"));
        if away > 0 {
            status += &format!(", {} of them away", grouped(away));
        }
        if let Some(trouble) = &*self.trouble.borrow() {
            // A line end would begin another message.
            let first = trouble.lines().next().unwrap_or_default();
            status += &format!("; {first}");
        }
        status
    }

    /// The manager may be away, or about to be another program image: it is told the next time.
    fn tell(&self, what: &str) {
        let Some(Manager { socket, address }) = &self.manager else { return };
        let what = what.trim_start().as_bytes();
        // A signal ends a call that has a limit, which is no reason not to tell.
        while socket.send_to_addr(what, address).is_err_and(|e| e.kind() == Interrupted) {}
    }
}

/// Whose watchdog it is.
const WATCHDOG_PID: &str = "WATCHDOG_PID";

impl Manager {
    /// At a path, or at a name of the kernel's, which begins with `@`.
    fn at(name: &OsString) -> io::Result<Self> {
        let address = match name.as_bytes() {
            [b'@', name @ ..] => SocketAddr::from_abstract_name(name)?,
            [b'/', ..] => SocketAddr::from_pathname(name)?,
            _ => return Err(io::ErrorKind::Unsupported.into()),
        };
        let socket = UnixDatagram::unbound()?;
        socket.set_write_timeout(Some(PATIENCE))?;
        Ok(Self { socket, address })
    }
}

/// Begins after the first period, and waits after a late turn as after any.
fn lazy(period: Duration) -> Interval {
    let mut tick = interval(period);
    tick.reset();
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    tick
}

/// `1 tunnel`, `8,012 tunnels`.
fn counted(number: u64, what: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{} {what}{plural}", grouped(number))
}

/// `8,012`.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn service(variables: &[(&str, &str)]) -> Service {
        Service::new(|name| {
            let found = variables.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| OsString::from(value))
        })
    }

    #[test]
    fn numbers_are_written_as_people_read_them() {
        for (number, text) in [
            (0, "0 tunnels"),
            (1, "1 tunnel"),
            (999, "999 tunnels"),
            (8_012, "8,012 tunnels"),
            (123_456, "123,456 tunnels"),
            (1_000_000, "1,000,000 tunnels"),
        ] {
            assert_eq!(counted(number, "tunnel"), text);
        }
    }

    #[test]
    fn it_is_told_at_a_path_and_at_a_name_of_the_kernels() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("notify");
        let at_path = UnixDatagram::bind(&path).unwrap();
        let name = format!("proxy-test-{}", std::process::id());
        let address = SocketAddr::from_abstract_name(&name).unwrap();
        let at_name = UnixDatagram::bind_addr(&address).unwrap();
        for (socket, name) in
            [(at_path, path.to_str().unwrap().to_owned()), (at_name, format!("@{name}"))]
        {
            service(&[("NOTIFY_SOCKET", &name)]).moved();
            let mut said = [0; 64];
            let length = socket.recv(&mut said).unwrap();
            assert_eq!(said[..length], *format!("MAINPID={}", std::process::id()).as_bytes());
        }
    }

    #[test]
    fn a_watchdog_is_ours_or_nobodys() {
        let ours = std::process::id().to_string();
        let (socket, period) = (("NOTIFY_SOCKET", "/nowhere"), ("WATCHDOG_USEC", "20000000"));
        let watchdog = |variables: &[_]| service(variables).watchdog.map(|it| it.as_secs());
        assert_eq!(watchdog(&[socket, period]), Some(20));
        assert_eq!(watchdog(&[socket, period, (WATCHDOG_PID, &ours)]), Some(20));
        assert_eq!(watchdog(&[socket, period, (WATCHDOG_PID, "1")]), None);
        assert_eq!(watchdog(&[socket, ("WATCHDOG_USEC", "0")]), None);
        assert_eq!(watchdog(&[socket, ("WATCHDOG_USEC", "soon")]), None);
        assert_eq!(watchdog(&[period]), None);
        assert_eq!(watchdog(&[("NOTIFY_SOCKET", "vsock:2:1234"), period]), None);
    }
}
