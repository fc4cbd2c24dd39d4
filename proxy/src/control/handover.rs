//! What a program image leaves to the one that takes its place in the same process.
//!
//! It is written to a file in memory, as JSON and, behind that, the bytes that waited in tunnels.
//! The file's descriptor, and all those that are named in it, stay open; the new image finds it by
//! the variable [`VARIABLE`].

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek, Write};
use std::os::fd::{OwnedFd, RawFd};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rustix::fs::{MemfdFlags, memfd_create};
use serde::{Deserialize, Serialize};

use crate::balance::{Held, Listing, Zone};
use crate::http::Testament;
use crate::limit::Zones;
use crate::listen::{Carried, Parcel, Past, Resting};
use crate::net::{Addr, Bound, Inherited};
use crate::observe::LogFile;
use crate::tunnel::Frozen;

/// What the new image finds the descriptor's number in.
pub(super) const VARIABLE: &str = "PROXY_HANDOVER";

/// What an image that is only asked whether it is fit finds there instead.
pub(super) const CHECK: &str = "check";

/// The name of the file, by which a descriptor is told from any other.
const NAME: &str = "proxy-handover";

/// Counts up when an image could not read what the one before it writes.
pub(crate) const FORMAT: u32 = 1;

/// All that is left.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Handover {
    format: u32,
    /// Whether root has started the process, whoever it is now.
    pub(crate) superuser: bool,
    pub(super) pid_file: Option<(PathBuf, Inherited)>,
    pub(super) listeners: Vec<Listener>,
    /// Connections accepted since the start, and requests.
    pub(super) counted: (u64, u64),
    /// What became of tunnels before.
    #[serde(default)]
    pub(super) past: Past,
    /// Since when tunnels stand still, in microseconds since 1970.
    since: u64,
    tunnels: Vec<Tunnel>,
    resting: Vec<Resting>,
}

/// What opens log files; it tells itself which it could not.
pub(super) type Logs<'a> = dyn Fn(Option<&Path>) -> Option<Arc<LogFile>> + 'a;

/// A socket that listens.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Listener {
    asked: Addr,
    socket: Inherited,
    /// The process that has bound it, if that was another one.
    #[serde(default)]
    lender: Option<u32>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Tunnel {
    frozen: Frozen,
    /// Whom it is counted for.
    server: Listing<Addr>,
    websocket: bool,
    /// The listener that its client came through.
    #[serde(default)]
    listener: Box<str>,
    testament: Testament,
    /// Where limits count it: zone and key.
    limits: Vec<(Box<str>, Box<[u8]>)>,
    /// What keeps it counted here.
    #[serde(skip)]
    held: Option<Held>,
}

impl Handover {
    /// What the image before this one has left; nothing where there was none.
    ///
    /// # Errors
    /// It cannot be read.
    pub(crate) fn receive() -> io::Result<Option<Self>> {
        let number = std::env::var(VARIABLE).ok().and_then(|number| number.parse::<RawFd>().ok());
        // A child of such an image has the variable, too, but not the file.
        let number = number.filter(|number| {
            let link = std::fs::read_link(format!("/proc/self/fd/{number}"));
            link.is_ok_and(|path| path.to_string_lossy().contains(NAME))
        });
        number.map(|number| Self::read(Inherited::take_over(number)?)).transpose()
    }

    /// Whether this image is only asked whether it is fit to receive one.
    pub(super) fn is_checked() -> bool {
        std::env::var_os(VARIABLE).is_some_and(|value| value == CHECK)
    }

    fn read(file: Inherited) -> io::Result<Self> {
        let mut file = File::from(OwnedFd::from(file));
        file.rewind()?;
        let mut file = BufReader::new(file);
        let mut text = Vec::new();
        file.read_until(b'\n', &mut text)?;
        let mut handover: Self = serde_json::from_slice(&text)?;
        if handover.format != FORMAT {
            let format = handover.format;
            return Err(io::Error::other(format!("its format is {format}, not {FORMAT}")));
        }
        for tunnel in &mut handover.tunnels {
            tunnel.frozen.fill(|length| {
                let mut bytes = vec![0; length];
                file.read_exact(&mut bytes)?;
                Ok(bytes)
            })?;
        }
        Ok(handover)
    }

    /// To be left: these listeners, and no connections yet.
    ///
    /// # Errors
    /// When the process is out of descriptors.
    pub(super) fn new(bound: &[Arc<Bound>], counted: (u64, u64)) -> io::Result<Self> {
        let listeners = bound.iter().map(|bound| {
            let (asked, lender) = (bound.asked().clone(), bound.lender());
            Ok(Listener { asked, socket: bound.bequeath()?, lender })
        });
        Ok(Self {
            format: FORMAT,
            superuser: false,
            pid_file: None,
            listeners: listeners.collect::<io::Result<_>>()?,
            counted,
            past: Past::default(),
            since: micros(SystemTime::now()),
            tunnels: Vec::new(),
            resting: Vec::new(),
        })
    }

    /// Tunnels stand still for so long already.
    pub(super) fn note_pause(&mut self, pause: Duration) {
        self.since = micros(SystemTime::now() - pause);
    }

    /// For how long they do.
    pub(super) fn pause(&self) -> Duration {
        Duration::from_micros(micros(SystemTime::now()).saturating_sub(self.since))
    }

    /// Leaves these connections, too.
    pub(super) fn pack(&mut self, parcels: Vec<Parcel>, zone: &Zone<Addr>, zones: &Zones) {
        for parcel in parcels {
            match parcel {
                Parcel::Tunnel(carried) => self.tunnels.push(Tunnel::new(*carried, zone, zones)),
                Parcel::Resting(client) => self.resting.push(client),
            }
        }
    }

    /// The connections, to go on with in this image.
    pub(super) fn unpack(self, zone: &Zone<Addr>, zones: &Zones, logs: &Logs<'_>) -> Vec<Parcel> {
        let tunnels = self.tunnels.into_iter().map(|tunnel| tunnel.unpack(zone, zones, logs));
        let tunnels = tunnels.map(|carried| Parcel::Tunnel(Box::new(carried)));
        tunnels.chain(self.resting.into_iter().map(Parcel::Resting)).collect()
    }

    /// How many tunnels there are, and how many clients that rest.
    pub(super) fn connections(&self) -> (usize, usize) {
        (self.tunnels.len(), self.resting.len())
    }

    /// Writes it, and has it and what it names stay open.
    ///
    /// # Errors
    /// What the system said.
    pub(super) fn write(&self) -> io::Result<Inherited> {
        let mut file = File::from(memfd_create(NAME, MemfdFlags::CLOEXEC)?);
        serde_json::to_writer(io::BufWriter::new(&file), self)?;
        file.write_all(b"\n")?;
        for bytes in self.tunnels.iter().flat_map(|tunnel| tunnel.frozen.bytes()) {
            file.write_all(bytes)?;
        }
        self.each(Inherited::keep)?;
        let file = Inherited::from(OwnedFd::from(file));
        file.keep()?;
        Ok(file)
    }

    /// Has nothing stay open after all; the connections, to go on with here.
    pub(super) fn take_back(self) -> Vec<Parcel> {
        // One that could not be marked would be left to a child that nobody reads from.
        let _ = self.each(Inherited::discard);
        let tunnels = self.tunnels.into_iter().filter_map(|tunnel| {
            let Tunnel { frozen, websocket, listener, testament, held, .. } = tunnel;
            let held = held?;
            let carried = Carried { frozen, held, websocket, listener, testament };
            Some(Parcel::Tunnel(Box::new(carried)))
        });
        tunnels.chain(self.resting.into_iter().map(Parcel::Resting)).collect()
    }

    /// How many descriptors it has.
    pub(super) fn descriptors(&self) -> usize {
        let mut all = 0;
        let _ = self.each(|_| {
            all += 1;
            Ok(())
        });
        all
    }

    fn each(&self, mut with: impl FnMut(&Inherited) -> io::Result<()>) -> io::Result<()> {
        let of_tunnels = self.tunnels.iter().flat_map(|tunnel| tunnel.frozen.sockets());
        let of_clients = self.resting.iter().map(|client| &client.socket);
        let of_listeners = self.listeners.iter().map(|listener| &listener.socket);
        let of_file = self.pid_file.iter().map(|(_, file)| file);
        of_tunnels.chain(of_clients).chain(of_listeners).chain(of_file).try_for_each(&mut with)
    }
}

fn micros(time: SystemTime) -> u64 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_micros()).unwrap_or(u64::MAX)
}

impl Listener {
    /// The socket, as it goes on here.
    pub(super) fn into_bound(self) -> io::Result<Arc<Bound>> {
        Bound::inherit(self.asked, self.socket, self.lender)
    }
}

impl Tunnel {
    fn new(carried: Carried, zone: &Zone<Addr>, zones: &Zones) -> Self {
        let Carried { frozen, held, websocket, listener, testament } = carried;
        let nobody =
            || Listing { upstream: "".into(), address: Addr::Unix(Path::new("").into()), nth: 0 };
        Self {
            frozen,
            server: zone.listing(held.server()).unwrap_or_else(nobody),
            websocket,
            listener,
            limits: testament.counted.iter().filter_map(|it| zones.entry(it)).collect(),
            testament,
            held: Some(held),
        }
    }

    fn unpack(self, zone: &Zone<Addr>, zones: &Zones, logs: &Logs<'_>) -> Carried {
        let Self { frozen, server, websocket, listener, mut testament, limits, held: _ } = self;
        testament.open(logs);
        let counted = limits.iter().filter_map(|(name, key)| zones.count_again(name, key));
        testament.counted = counted.collect();
        Carried { frozen, held: zone.hold(server), websocket, listener, testament }
    }
}
