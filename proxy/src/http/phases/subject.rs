//! A request as rewrites see it.

use std::os::unix::fs::PermissionsExt;
use std::sync::Arc;

use super::super::record::Record;
use super::super::site::Rules;
use crate::observe::Level;
use crate::route::{Captures, FileTest, Subject, Values, Variable};

impl Subject<Arc<Rules>> for Record {
    fn path(&self) -> &[u8] {
        Record::path(self)
    }

    fn args(&self) -> &[u8] {
        Record::args(self)
    }

    fn is_escaped(&self) -> bool {
        self.head.uri.path().bytes().any(|byte| matches!(byte, b'%' | b'+'))
    }

    fn is(&self, path: &[u8], test: FileTest) -> bool {
        let path = std::ffi::OsStr::new(std::str::from_utf8(path).unwrap_or_default());
        let Ok(found) = std::fs::metadata(path) else { return false };
        match test {
            FileTest::File => found.is_file(),
            FileTest::Directory => found.is_dir(),
            FileTest::Anything => true,
            FileTest::Executable => found.permissions().mode() & 0o100 != 0,
        }
    }

    fn captured(&self, captures: Captures) {
        self.course.captures.borrow_mut().push(captures);
    }

    fn set(&self, variable: &Variable, value: Vec<u8>) {
        match variable {
            Variable::Set(position) => {
                let mut sets = self.course.sets.borrow_mut();
                if sets.len() <= *position {
                    sets.resize(*position + 1, None);
                }
                if let Some(set) = sets.get_mut(*position) {
                    *set = Some(value.into());
                }
            }
            Variable::LimitRate => self.set_rate(&value),
            Variable::Args => self.course.rewrite(Record::path(self).to_vec(), value),
            _ => {}
        }
    }

    fn moved(&self, path: Vec<u8>, args: Vec<u8>) {
        self.course.internal.set(true);
        self.course.rewrite(path, args);
    }

    fn left(&self) {
        self.course.located.set(false);
    }

    fn entered(&self, rules: &Arc<Rules>) {
        self.course.enter(rules.clone());
    }

    fn listens(&self) -> bool {
        self.rules().is_some_and(|rules| rules.rewrite_log)
    }

    fn tell(&self, what: std::fmt::Arguments<'_>) {
        self.log(Level::Notice, None, what);
    }
}

impl Record {
    /// A variable of `set`: until it is set, what else has its name, or nothing.
    pub(in super::super) fn write_set(&self, position: usize, out: &mut Vec<u8>) -> bool {
        if let Some(Some(value)) = self.course.sets.borrow().get(position) {
            out.extend_from_slice(value);
            return true;
        }
        let Some(set) = self.client.site.variables.sets.get(position) else { return false };
        match &set.before {
            Some(before) => self.write(before, out),
            None => {
                if self.rules().is_none_or(|rules| rules.tells_unset) {
                    let what = format_args!("using uninitialized \"{}\" variable", set.name);
                    self.log(Level::Warn, None, what);
                }
                true
            }
        }
    }
}
