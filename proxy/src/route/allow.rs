//! nginx's access lists: who may ask.

use std::net::IpAddr;

use ipnet::IpNet;

/// `allow` and `deny`, in the order written.
#[derive(Debug, Clone, Default)]
pub struct AccessList(Vec<(Who, bool)>);

/// Whom a rule is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Who {
    /// `all`
    All,
    /// `unix:`
    Unix,
    /// A network.
    Net(IpNet),
}

impl Who {
    /// Whether it is this client; none is one over a Unix socket.
    #[must_use]
    pub fn is(&self, client: Option<IpAddr>) -> bool {
        match (self, client) {
            (Self::All, _) | (Self::Unix, None) => true,
            (Self::Net(net), Some(client)) => net.contains(&plain(client)),
            (Self::Unix, Some(_)) | (Self::Net(_), None) => false,
        }
    }
}

/// An IPv4 address that came mapped into an IPv6 one counts as itself.
fn plain(client: IpAddr) -> IpAddr {
    client.to_canonical()
}

impl AccessList {
    /// Rules with whether they let in.
    #[must_use]
    pub fn new(rules: Vec<(Who, bool)>) -> Self {
        Self(rules)
    }

    /// Whether there is no rule, and so no verdict.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What the first rule that fits says; none when no rule fits.
    #[must_use]
    pub fn verdict(&self, client: Option<IpAddr>) -> Option<bool> {
        self.0.iter().find(|(who, _)| who.is(client)).map(|(_, allow)| *allow)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_rule_that_fits_counts() {
        let net = |text: &str| Who::Net(text.parse().unwrap());
        let list = AccessList::new(vec![
            (net("10.0.0.1/32"), false),
            (net("10.0.0.0/8"), true),
            (net("fe80::/10"), true),
            (Who::Unix, true),
            (Who::All, false),
        ]);
        let of = |client: &str| list.verdict(Some(client.parse().unwrap()));
        assert_eq!(
            (of("10.0.0.1"), of("10.9.9.9"), of("11.0.0.1")),
            (Some(false), Some(true), Some(false))
        );
        assert_eq!(
            (of("fe80::1"), of("::ffff:10.0.0.2"), of("::1")),
            (Some(true), Some(true), Some(false))
        );
        assert_eq!(list.verdict(None), Some(true));
        assert_eq!(AccessList::default().verdict(None), None);
    }
}
