//! Who counts as one, where connections are counted by their addresses.

use std::net::{IpAddr, Ipv6Addr};

/// How many times what one subscriber may have a network of IPv6 may have, of whose addresses one may own all.
pub const NETWORK_TIMES: u32 = 2;

/// IPv4 also where it is written as IPv6, and of IPv6 the network that one subscriber gets.
#[must_use]
pub fn subscriber(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => IpAddr::V4(address),
        IpAddr::V6(address) => {
            let network = u128::from(address) & !u128::from(u64::MAX);
            IpAddr::V6(Ipv6Addr::from(network))
        }
    }
}

/// The largest network that one subscriber gets (a /48), with thousands of the smallest in it; IPv4 has none.
#[must_use]
pub fn network_of(address: IpAddr) -> Option<IpAddr> {
    match address.to_canonical() {
        IpAddr::V4(_) => None,
        IpAddr::V6(address) => {
            let network = u128::from(address) & (u128::MAX << 80);
            Some(IpAddr::V6(Ipv6Addr::from(network)))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ipv4_is_the_same_address_however_it_is_written_and_a_network_of_ipv6_is_one() {
        for (address, counts_as) in [
            ("192.0.2.1", "192.0.2.1"),
            ("::ffff:192.0.2.1", "192.0.2.1"),
            ("2001:db8:0:1:2:3:4:5", "2001:db8:0:1::"),
            ("2001:db8:0:2::1", "2001:db8:0:2::"),
        ] {
            let counts_as: IpAddr = counts_as.parse().unwrap();
            assert_eq!(subscriber(address.parse().unwrap()), counts_as);
        }
    }

    #[test]
    fn thousands_of_networks_of_ipv6_are_in_one_and_ipv4_has_none() {
        for (address, network) in [
            ("192.0.2.1", None),
            ("::ffff:192.0.2.1", None),
            ("2001:db8:7:1:2:3:4:5", Some("2001:db8:7::")),
            ("2001:db8:7:ffff::1", Some("2001:db8:7::")),
            ("2001:db8:8::1", Some("2001:db8:8::")),
        ] {
            let network = network.map(|network| network.parse().unwrap());
            assert_eq!(network_of(address.parse().unwrap()), network);
        }
    }
}
