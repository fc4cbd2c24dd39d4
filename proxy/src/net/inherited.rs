//! Descriptors that go on when the process becomes another program image.

use std::fmt;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};

use rustix::io::{FdFlags, fcntl_getfd, fcntl_setfd};
use serde::{Deserialize, Serialize};

/// The first descriptor that is not standard.
const FIRST: RawFd = 3;

/// A descriptor of no runtime: written down as its number, and taken over by that.
///
/// What this process opens is closed when it becomes another image (close-on-exec), but for what
/// was to be [kept](Inherited::keep). So a descriptor that is not closed then belongs to nobody yet
/// in the new image, nor does one that whoever has started the process has left open for it. Who
/// takes it over marks it as closed then, and it is taken over once.
#[derive(Debug)]
pub(crate) struct Inherited(OwnedFd);

impl Inherited {
    /// From the image before this one, or from whoever has started the process.
    ///
    /// # Errors
    /// There is no such descriptor, or it is somebody's.
    pub(crate) fn take_over(number: RawFd) -> io::Result<Self> {
        let is_free = number >= FIRST && flags(number)? & FdFlags::CLOEXEC == FdFlags::empty();
        if !is_free {
            return Err(io::Error::other(format!("descriptor {number} is not inherited")));
        }
        let inherited = own(number);
        inherited.discard()?;
        Ok(inherited)
    }

    /// Leaves it open when the process becomes another image.
    ///
    /// # Errors
    /// What `fcntl` said.
    pub(crate) fn keep(&self) -> io::Result<()> {
        Ok(fcntl_setfd(&self.0, FdFlags::empty())?)
    }

    /// Has it be closed then, after all.
    ///
    /// # Errors
    /// What `fcntl` said.
    pub(crate) fn discard(&self) -> io::Result<()> {
        Ok(fcntl_setfd(&self.0, FdFlags::CLOEXEC)?)
    }
}

impl From<OwnedFd> for Inherited {
    fn from(fd: OwnedFd) -> Self {
        Self(fd)
    }
}

impl From<Inherited> for OwnedFd {
    fn from(Inherited(fd): Inherited) -> Self {
        fd
    }
}

impl AsFd for Inherited {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

impl fmt::Display for Inherited {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.as_raw_fd().fmt(f)
    }
}

impl Serialize for Inherited {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.as_raw_fd().serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Inherited {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let number = RawFd::deserialize(deserializer)?;
        Self::take_over(number).map_err(serde::de::Error::custom)
    }
}

#[expect(unsafe_code, reason = "a number becomes a descriptor")]
fn flags(number: RawFd) -> io::Result<FdFlags> {
    // SAFETY: it is borrowed for one call, which fails when the number is no open descriptor.
    Ok(fcntl_getfd(unsafe { BorrowedFd::borrow_raw(number) })?)
}

#[expect(unsafe_code, reason = "a number becomes a descriptor")]
fn own(number: RawFd) -> Inherited {
    // SAFETY: it is open, not standard, and not closed on exec. Nothing in this process opens such
    // a descriptor, and what `keep` makes one is held until the process is another image. So the
    // image before this one left it here, or whoever has started the process, and nobody has taken
    // it over: that would have marked it.
    Inherited(unsafe { OwnedFd::from_raw_fd(number) })
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::UnixStream;

    use super::*;

    #[test]
    fn what_is_somebodys_is_not_taken_over() {
        let (mine, _other) = UnixStream::pair().unwrap();
        assert!(Inherited::take_over(mine.as_raw_fd()).is_err());
        for number in [-1, 0, 2, 1 << 20] {
            assert!(Inherited::take_over(number).is_err(), "{number}");
        }
    }

    #[test]
    fn what_was_kept_is_taken_over_once() {
        let (mine, _other) = UnixStream::pair().unwrap();
        let number = mine.as_raw_fd();
        let kept = Inherited::from(OwnedFd::from(mine));
        kept.keep().unwrap();
        assert_eq!(kept.to_string(), number.to_string());
        // The image that kept it is gone.
        std::mem::forget(kept);
        let taken = Inherited::take_over(number).unwrap();
        let again = Inherited::take_over(number).unwrap_err();
        assert!(again.to_string().contains("is not inherited"), "{again}");
        drop(taken);
    }
}
