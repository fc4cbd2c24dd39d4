//! Variables that are worked out when something asks for them: the request's port and body, its
//! pace, and where its files really are.

use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use super::pace;
use super::record::Record;
use super::values::{put, show};
use crate::observe::{Level, errno};
use crate::route::Variable;

impl Record {
    /// What one of them is worth.
    pub(super) fn write_asked(&self, variable: &Variable, out: &mut Vec<u8>) -> bool {
        let port = self.routed.get().and_then(|routed| routed.port);
        match variable {
            Variable::RequestBody => {
                return put(self.course.body.borrow().as_deref(), out);
            }
            Variable::RealpathRoot => return self.write_realpath(out),
            Variable::LimitRate => {
                show(out, format_args!("{}", self.course.rate.get().unwrap_or_default()));
            }
            Variable::RequestPort => {
                if let Some(port) = port {
                    show(out, format_args!("{port}"));
                }
            }
            _ if port.is_some() => out.push(b':'),
            _ => {}
        }
        true
    }

    /// `$realpath_root`: the directory of files without symbolic links.
    fn write_realpath(&self, out: &mut Vec<u8>) -> bool {
        let Some(rules) = self.rules() else { return false };
        let root = rules.files.root(self);
        let path = Path::new(std::ffi::OsStr::from_bytes(&root));
        match path.canonicalize() {
            Ok(path) => out.extend_from_slice(path.as_os_str().as_bytes()),
            Err(error) => {
                let (path, error) = (path.display(), errno(&error));
                self.log(Level::Crit, None, format_args!("realpath() \"{path}\" failed ({error})"));
                return false;
            }
        }
        true
    }

    /// `set $limit_rate`
    pub(super) fn set_rate(&self, text: &[u8]) {
        match pace::size(text).filter(|_| !text.is_empty()) {
            Some(rate) => self.course.rate.set(Some(rate)),
            None => {
                let text = text.escape_ascii();
                self.log(Level::Error, None, format_args!("invalid $limit_rate \"{text}\""));
            }
        }
    }
}
