//! nginx's flags, read as nginx reads them: `-tq` is `-t -q`, `-cFILE` is `-c FILE`.

use std::ffi::OsString;
use std::path::PathBuf;

use crate::control::Order;

/// What the command line asks for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Args {
    /// `-?`, `-h`, `--help`
    pub(super) help: bool,
    /// `-v`, `--version`
    pub(super) version: bool,
    /// `-V`
    pub(super) configure: bool,
    /// `-t`
    pub(super) test: bool,
    /// `-T`
    pub(super) dump: bool,
    /// `-q`
    pub(super) quiet: bool,
    /// `-c FILE`
    pub(super) conf: Option<PathBuf>,
    /// `-p PREFIX`
    pub(super) prefix: Option<PathBuf>,
    /// `-e FILE`
    pub(super) error_log: Option<PathBuf>,
    /// `-g DIRECTIVES`
    pub(super) globals: Option<String>,
    /// `-s SIGNAL`
    pub(super) signal: Option<Order>,
    /// `--listen ADDR...`
    pub(super) listen: Vec<String>,
    /// `--upstream ADDR...`
    pub(super) upstream: Vec<String>,
}

/// A command line that makes no sense, in nginx's words.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Misuse {
    /// An argument that is no option.
    #[error("invalid option: \"{0}\"")]
    Invalid(String),
    /// An option without its argument.
    #[error("option \"-{0}\" requires {1}")]
    Missing(char, &'static str),
    /// One of ours without its argument.
    #[error("option \"{0}\" requires an address")]
    NoAddress(&'static str),
    /// A signal that nginx has no name for.
    #[error("invalid option: \"-s {0}\"")]
    Signal(String),
    /// Two options that exclude each other.
    #[error(
        "\"--listen\" and \"--upstream\" replace parts of the built-in configuration: they cannot be used with \"-c\""
    )]
    Both,
}

impl Args {
    /// Reads the arguments that follow the program's name.
    pub(super) fn parse(args: impl IntoIterator<Item = OsString>) -> Result<Self, Misuse> {
        let mut parsed = Self::default();
        let mut rest = args.into_iter().map(|arg| arg.to_string_lossy().into_owned()).peekable();
        while let Some(arg) = rest.next() {
            match arg.as_str() {
                "--help" => parsed.help = true,
                "--version" => parsed.version = true,
                "--listen" => addresses(&mut rest, "--listen", &mut parsed.listen)?,
                "--upstream" => addresses(&mut rest, "--upstream", &mut parsed.upstream)?,
                _ => match arg.strip_prefix('-') {
                    Some(flags) if !flags.starts_with('-') => parsed.flags(flags, &mut rest)?,
                    _ => return Err(Misuse::Invalid(arg)),
                },
            }
        }
        if parsed.conf.is_some() && !(parsed.listen.is_empty() && parsed.upstream.is_empty()) {
            return Err(Misuse::Both);
        }
        Ok(parsed)
    }

    fn flags(
        &mut self,
        flags: &str,
        rest: &mut impl Iterator<Item = String>,
    ) -> Result<(), Misuse> {
        for (at, flag) in flags.char_indices() {
            match flag {
                '?' | 'h' => self.help = true,
                'v' => self.version = true,
                'V' => self.configure = true,
                't' => self.test = true,
                'T' => (self.test, self.dump) = (true, true),
                'q' => self.quiet = true,
                'c' | 'p' | 'e' | 'g' | 's' => {
                    let here = flags.get(at + 1..).filter(|value| !value.is_empty());
                    let value = here.map(str::to_owned).or_else(|| rest.next());
                    return self.valued(flag, value);
                }
                _ => return Err(Misuse::Invalid(flag.to_string())),
            }
        }
        Ok(())
    }

    fn valued(&mut self, flag: char, value: Option<String>) -> Result<(), Misuse> {
        let need = |what| value.clone().ok_or(Misuse::Missing(flag, what));
        match flag {
            'c' => self.conf = Some(need("file name")?.into()),
            'p' => self.prefix = Some(need("directory name")?.into()),
            'e' => self.error_log = Some(need("file name")?.into()),
            'g' => self.globals = Some(need("parameter")?),
            _ => {
                let word = need("parameter")?;
                self.signal = Some(Order::from_word(&word).ok_or(Misuse::Signal(word))?);
            }
        }
        Ok(())
    }
}

/// Takes every following argument that is no option.
fn addresses(
    rest: &mut std::iter::Peekable<impl Iterator<Item = String>>,
    option: &'static str,
    into: &mut Vec<String>,
) -> Result<(), Misuse> {
    let before = into.len();
    while let Some(address) = rest.next_if(|arg| !arg.starts_with('-')) {
        into.push(address);
    }
    if into.len() == before { Err(Misuse::NoAddress(option)) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Args, String> {
        Args::parse(line.split_whitespace().map(OsString::from)).map_err(|error| error.to_string())
    }

    #[test]
    fn flags_are_read_as_nginx_reads_them() {
        let together = parse("-tq -cnginx.conf -p .").unwrap();
        let apart = parse("-t -q -c nginx.conf -p .").unwrap();
        assert_eq!(together, apart);
        assert!(apart.test && apart.quiet && !apart.dump);
        assert_eq!(apart.conf.unwrap().to_str(), Some("nginx.conf"));
        assert_eq!(parse("-sstop").unwrap().signal, Some(Order::Stop));
        assert_eq!(parse("-s reload").unwrap().signal, Some(Order::Reload));
    }

    #[test]
    fn our_options_take_several_addresses() {
        let args = parse("--listen 127.0.0.1:80 [::1]:80 --upstream unix:a unix:b -q").unwrap();
        assert_eq!(args.listen, ["127.0.0.1:80", "[::1]:80"]);
        assert_eq!(args.upstream, ["unix:a", "unix:b"]);
        assert!(args.quiet);
    }

    #[test]
    fn misuse_is_told_in_nginx_words() {
        assert_eq!(parse("-x").unwrap_err(), "invalid option: \"x\"");
        assert_eq!(parse("nginx.conf").unwrap_err(), "invalid option: \"nginx.conf\"");
        assert_eq!(parse("-c").unwrap_err(), "option \"-c\" requires file name");
        assert_eq!(parse("-s").unwrap_err(), "option \"-s\" requires parameter");
        assert_eq!(parse("-s foo").unwrap_err(), "invalid option: \"-s foo\"");
        assert_eq!(
            parse("--upstream -q").unwrap_err(),
            "option \"--upstream\" requires an address"
        );
        assert!(parse("-c x --listen 80").unwrap_err().contains("cannot be used with \"-c\""));
    }
}
