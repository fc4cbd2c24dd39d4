//! Listening sockets that the process was given at its start: by a service manager, sd_listen_fds(3),
//! or by an nginx that was told to become this binary.

use std::ffi::OsString;
use std::os::fd::RawFd;
use std::sync::Arc;

use super::proxy::Error;
use crate::net::{Bound, Inherited};

/// What says so. It is meant for the image that was started, and for none after it.
pub(super) const VARIABLES: [&str; 5] =
    ["LISTEN_FDS", "LISTEN_PID", "LISTEN_FDNAMES", "LISTEN_PIDFDID", NGINX];

/// nginx's own, which names the descriptors: `6;7;`.
const NGINX: &str = "NGINX";

/// The first descriptor that a service manager passes.
const FIRST: RawFd = 3;

/// The sockets, and from whom they are.
#[derive(Debug, Default)]
pub(super) struct Passed {
    pub(super) bound: Vec<Arc<Bound>>,
    /// Whether an nginx has started the process, which is in the background then if it was to be.
    pub(super) by_nginx: bool,
}

impl Passed {
    /// Those that the environment names.
    ///
    /// # Errors
    /// It names what is no socket that listens.
    pub(super) fn receive() -> Result<Self, Error> {
        let (numbers, by_nginx) = numbers(|name| std::env::var_os(name), std::process::id())?;
        let adopt = |number| {
            let adopted = Inherited::take_over(number).and_then(Bound::adopt);
            adopted.map_err(|error| Error::Inherited { number, error })
        };
        let bound = numbers.into_iter().map(adopt).collect::<Result<_, _>>()?;
        Ok(Self { bound, by_nginx })
    }
}

/// The descriptors, and whether nginx is among those who pass some.
fn numbers(
    variable: impl Fn(&str) -> Option<OsString>,
    pid: u32,
) -> Result<(Vec<RawFd>, bool), Error> {
    let text = |name| variable(name).map(|value| value.to_string_lossy().into_owned());
    let mut numbers = Vec::new();
    // Whoever has another process in mind may be our parent, whose variables we have.
    let ours = text("LISTEN_PID").and_then(|text| text.parse().ok()) == Some(pid);
    if let Some(count) = text("LISTEN_FDS").filter(|_| ours) {
        let end = count.parse().ok().and_then(|count: u16| FIRST.checked_add(count.into()));
        numbers.extend(FIRST..end.ok_or_else(|| invalid("LISTEN_FDS", &count))?);
    }
    let by_nginx = text(NGINX);
    // The last of them has its separator, too.
    for number in by_nginx.iter().flat_map(|text| text.split_terminator([';', ':'])) {
        numbers.push(number.parse().map_err(|_| invalid(NGINX, number))?);
    }
    Ok((numbers, by_nginx.is_some()))
}

fn invalid(variable: &'static str, text: &str) -> Error {
    Error::Environment { variable, text: text.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(variables: &[(&str, &str)]) -> Result<(Vec<RawFd>, bool), String> {
        let variable = |name: &str| {
            let found = variables.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| OsString::from(value))
        };
        numbers(variable, 77).map_err(|error| error.to_string())
    }

    #[test]
    fn a_service_manager_says_how_many_and_to_whom() {
        let passed = |pid, count| read(&[("LISTEN_PID", pid), ("LISTEN_FDS", count)]);
        assert_eq!(read(&[]), Ok((vec![], false)));
        assert_eq!(passed("77", "2"), Ok((vec![3, 4], false)));
        assert_eq!(passed("77", "0"), Ok((vec![], false)));
        assert_eq!(passed("78", "2"), Ok((vec![], false)));
        assert_eq!(passed("78", "many"), Ok((vec![], false)));
        assert_eq!(read(&[("LISTEN_FDS", "2")]), Ok((vec![], false)));
        for count in ["many", "-1", "99999999999999"] {
            let said =
                format!("invalid socket number \"{count}\" in LISTEN_FDS environment variable");
            assert_eq!(passed("77", count), Err(said));
        }
    }

    #[test]
    fn nginx_names_each() {
        assert_eq!(read(&[("NGINX", "6;7;")]), Ok((vec![6, 7], true)));
        assert_eq!(read(&[("NGINX", "6:12;")]), Ok((vec![6, 12], true)));
        assert_eq!(read(&[("NGINX", "")]), Ok((vec![], true)));
        for text in ["x;", "6;;7;", "6;7x;"] {
            assert!(
                read(&[("NGINX", text)]).unwrap_err().contains("in NGINX environment"),
                "{text}"
            );
        }
    }
}
