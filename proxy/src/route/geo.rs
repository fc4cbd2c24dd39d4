//! nginx's `geo`: what a client's address is worth.

use std::collections::{BTreeMap, HashMap};
use std::net::{IpAddr, Ipv4Addr};

use super::template::Template;

/// A `geo` block, compiled.
#[derive(Debug, Clone)]
pub struct Geo {
    source: Option<Template>,
    volatile: bool,
    default: Box<str>,
    /// By the number of bits that count, the most first: those bits, and what they are worth.
    nets: Box<[(u8, Values)]>,
    /// By the first address: the last, and what they are worth.
    ranges: BTreeMap<u32, (u32, Box<str>)>,
}

/// What networks of one size are worth.
type Values = HashMap<IpAddr, Box<str>>;

/// What a block says.
#[derive(Debug)]
pub struct GeoSettings<'a> {
    /// What the address is; none is the client's.
    pub source: Option<Template>,
    /// Whether it is worked out anew each time.
    pub volatile: bool,
    /// What every other address is worth.
    pub default: &'a str,
    /// Networks with the bits that count.
    pub nets: Vec<(IpAddr, u8, &'a str)>,
    /// Ranges, none of which have an address in common.
    pub ranges: Vec<(Ipv4Addr, Ipv4Addr, &'a str)>,
}

impl Geo {
    /// Compiles a block.
    #[must_use]
    pub fn new(settings: GeoSettings<'_>) -> Self {
        let mut nets: BTreeMap<u8, Values> = BTreeMap::new();
        for (ip, bits, value) in settings.nets {
            nets.entry(bits).or_default().insert(masked(ip, bits), value.into());
        }
        let ranges = settings.ranges.into_iter();
        Self {
            source: settings.source,
            volatile: settings.volatile,
            default: settings.default.into(),
            nets: nets.into_iter().rev().collect(),
            ranges: ranges.map(|(from, to, v)| (from.into(), (to.into(), v.into()))).collect(),
        }
    }

    /// What the address is, where it is not the client's.
    #[must_use]
    pub fn source(&self) -> Option<&Template> {
        self.source.as_ref()
    }

    /// Whether it is worked out anew each time.
    #[must_use]
    pub fn is_volatile(&self) -> bool {
        self.volatile
    }

    /// What this address is worth; none is one that is no IP address, which nginx takes for
    /// 255.255.255.255.
    #[must_use]
    pub fn lookup(&self, ip: Option<IpAddr>) -> &str {
        let ip = ip.map_or(IpAddr::V4(Ipv4Addr::BROADCAST), |ip| ip.to_canonical());
        if let IpAddr::V4(ip) = ip
            && let Some((_, (last, value))) = self.ranges.range(..=u32::from(ip)).next_back()
            && u32::from(ip) <= *last
        {
            return value;
        }
        let most = if ip.is_ipv4() { 32 } else { 128 };
        let sizes = self.nets.iter().filter(|(bits, _)| *bits <= most);
        let mut found = sizes.filter_map(|(bits, values)| values.get(&masked(ip, *bits)));
        found.next().map_or(&self.default, |value| value)
    }
}

/// The address with only its first bits.
fn masked(ip: IpAddr, bits: u8) -> IpAddr {
    match ip {
        IpAddr::V4(ip) => {
            let rest = 32 - u32::from(bits.min(32));
            Ipv4Addr::from(u32::from(ip) & u32::MAX.checked_shl(rest).unwrap_or(0)).into()
        }
        IpAddr::V6(ip) => {
            let rest = 128 - u32::from(bits.min(128));
            IpAddr::V6((u128::from(ip) & u128::MAX.checked_shl(rest).unwrap_or(0)).into())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn geo(nets: &[(&str, u8, &'static str)], ranges: &[(&str, &str, &'static str)]) -> Geo {
        let nets = nets.iter().map(|(ip, bits, value)| (ip.parse().unwrap(), *bits, *value));
        let ranges =
            ranges.iter().map(|(a, b, value)| (a.parse().unwrap(), b.parse().unwrap(), *value));
        Geo::new(GeoSettings {
            source: None,
            volatile: false,
            default: "other",
            nets: nets.collect(),
            ranges: ranges.collect(),
        })
    }

    #[test]
    fn the_smallest_network_counts() {
        let geo = geo(
            &[
                ("10.0.0.0", 8, "ten"),
                ("10.1.0.0", 16, "one"),
                ("10.1.2.3", 32, "host"),
                ("fe80::", 10, "link"),
                ("::1", 128, "self"),
                ("255.255.255.255", 32, "none"),
            ],
            &[],
        );
        for (ip, value) in [
            ("10.9.9.9", "ten"),
            ("10.1.9.9", "one"),
            ("10.1.2.3", "host"),
            ("::ffff:10.1.2.3", "host"),
            ("11.0.0.1", "other"),
            ("fe80::5", "link"),
            ("::1", "self"),
            ("::2", "other"),
        ] {
            assert_eq!(geo.lookup(Some(ip.parse().unwrap())), value, "{ip}");
        }
        assert_eq!(geo.lookup(None), "none");
    }

    #[test]
    fn a_range_has_both_its_ends() {
        let geo = geo(&[], &[("10.0.0.1", "10.0.0.9", "a"), ("10.0.0.10", "10.0.0.10", "b")]);
        let of = |ip: &str| geo.lookup(Some(ip.parse().unwrap()));
        assert_eq!([of("10.0.0.0"), of("10.0.0.1"), of("10.0.0.9")], ["other", "a", "a"]);
        assert_eq!([of("10.0.0.10"), of("10.0.0.11"), of("::1")], ["b", "other", "other"]);
    }
}
