//! A range of network addresses: one address, or as many as share their first bits.

use std::net::IpAddr;

/// `10.0.0.0/8`, or `10.1.2.3` for that one only. An IPv4 address in IPv6 clothes is the IPv4
/// address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Network {
    address: IpAddr,
    bits: u32,
}

impl Network {
    /// None where it is not one.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (address, bits) = match text.split_once('/') {
            Some((address, bits)) => (address, Some(bits)),
            None => (text, None),
        };
        let address = address.trim().parse::<IpAddr>().ok()?.to_canonical();
        let width = width(address);
        let bits = match bits {
            Some(bits) => bits.trim().parse().ok().filter(|bits| *bits <= width)?,
            None => width,
        };
        Some(Self { address, bits })
    }

    /// Whether the address lies in it.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        let differing = number(address) ^ number(self.address);
        let rest = width(address).saturating_sub(self.bits);
        width(address) == width(self.address) && differing.checked_shr(rest).unwrap_or(0) == 0
    }

    /// Whether every address lies in it.
    #[must_use]
    pub fn is_everywhere(&self) -> bool {
        self.bits == 0
    }
}

fn width(address: IpAddr) -> u32 {
    match address {
        IpAddr::V4(_) => 32,
        IpAddr::V6(_) => 128,
    }
}

fn number(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => address.to_bits().into(),
        IpAddr::V6(address) => address.to_bits(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_holds_what_shares_its_first_bits() {
        let holds = |range: &str, address: &str| {
            let range = Network::parse(range).unwrap();
            range.contains(address.parse().unwrap())
        };
        assert!(holds("10.0.0.0/8", "10.255.1.2"));
        assert!(!holds("10.0.0.0/8", "11.0.0.0"));
        assert!(holds("10.1.2.3", "10.1.2.3"));
        assert!(!holds("10.1.2.3", "10.1.2.4"));
        assert!(holds("10.1.2.128/25", "10.1.2.200"));
        assert!(!holds("10.1.2.128/25", "10.1.2.127"));
        assert!(holds("127.0.0.0/8", "::ffff:127.0.0.1"));
        assert!(holds("fd00::/8", "fd12::1"));
        assert!(!holds("fd00::/8", "fe80::1"));
        assert!(!holds("0.0.0.0/0", "::1"));
        assert!(holds("::/0", "::1") && holds("0.0.0.0/0", "8.8.8.8"));
    }

    #[test]
    fn what_is_no_range_is_not_taken_for_one() {
        for text in ["", "10.0.0", "10.0.0.0/33", "10.0.0.0/", "proxy", "::1/129"] {
            assert_eq!(Network::parse(text), None, "{text}");
        }
    }
}
