//! Decides which addresses may be fetched: the globally routable ones, and those that the operator allows.
//!
//! Literal addresses are checked before the request, because the client does not resolve them. Names are
//! checked at every answer of the DNS, so that the address that was checked is the one that is connected to
//! (DNS rebinding).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;

use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use url::{Host, Url};

use super::blocked::Blocked;
use super::error::FetchError;

/// Addresses of one name that are tried at most, so that an answer of 400 records does not cause 400
/// connections.
const MAX_ADDRESSES: usize = 16;

/// Networks that are not globally reachable (IANA IPv4 Special-Purpose Address Registry, RFC 6890).
const INNER_V4: [Ipv4Net; 16] = [
    v4(0, 0, 0, 0, 8),        // this network, RFC 791
    v4(10, 0, 0, 0, 8),       // private, RFC 1918
    v4(100, 64, 0, 0, 10),    // carrier-grade NAT, RFC 6598
    v4(127, 0, 0, 0, 8),      // loopback, RFC 1122
    v4(168, 63, 129, 16, 32), // Azure's wire server: a public number for an inner service
    v4(169, 254, 0, 0, 16),   // link-local and cloud metadata, RFC 3927
    v4(172, 16, 0, 0, 12),    // private, RFC 1918
    v4(192, 0, 0, 0, 24),     // protocol assignments, RFC 6890
    v4(192, 0, 2, 0, 24),     // documentation, RFC 5737
    v4(192, 88, 99, 0, 24),   // 6to4 relays, RFC 7526
    v4(192, 168, 0, 0, 16),   // private, RFC 1918
    v4(198, 18, 0, 0, 15),    // benchmarking, RFC 2544
    v4(198, 51, 100, 0, 24),  // documentation, RFC 5737
    v4(203, 0, 113, 0, 24),   // documentation, RFC 5737
    v4(224, 0, 0, 0, 4),      // multicast, RFC 1112
    v4(240, 0, 0, 0, 4),      // reserved, broadcast included, RFC 1112 and RFC 919
];

/// The only block that global unicast addresses are assigned from (RFC 4291, 2.4). Loopback, ULA,
/// link-local, site-local, discard, IPv4-compatible and multicast addresses are all outside.
const GLOBAL_V6: Ipv6Net = v6([0x2000, 0, 0], 3);

/// Networks in the global block that are not globally reachable (IANA IPv6 Special-Purpose Address
/// Registry).
const INNER_V6: [Ipv6Net; 4] = [
    v6([0x2001, 0, 0], 23), // protocol assignments with Teredo, benchmarking and ORCHID, RFC 2928
    v6([0x2001, 0xdb8, 0], 32), // documentation, RFC 3849
    v6([0x2002, 0, 0], 16), // 6to4 carries any IPv4 address, RFC 3056
    v6([0x3fff, 0, 0], 20), // documentation, RFC 9637
];

/// The well-known prefix of NAT64 (RFC 6052, 2.1).
const NAT64: Ipv6Net = v6([0x64, 0xff9b, 0], 96);

const fn v4(a: u8, b: u8, c: u8, d: u8, prefix: u8) -> Ipv4Net {
    Ipv4Net::new_assert(Ipv4Addr::new(a, b, c, d), prefix)
}

const fn v6(start: [u16; 3], prefix: u8) -> Ipv6Net {
    let [a, b, c] = start;
    Ipv6Net::new_assert(Ipv6Addr::new(a, b, c, 0, 0, 0, 0, 0), prefix)
}

/// Permits or refuses addresses; cheap to clone.
#[derive(Debug, Clone)]
pub(super) struct AddressFilter {
    allow: Arc<[IpNet]>,
}

impl AddressFilter {
    /// Creates a filter that refuses all inner addresses except those in `allow`.
    pub(super) fn new(allow: &[IpNet]) -> Self {
        Self { allow: allow.into() }
    }

    /// Returns whether a connection to `address` may be opened.
    pub(super) fn permits(&self, address: IpAddr) -> bool {
        // ::ffff:a.b.c.d reaches a.b.c.d itself (RFC 4291, 2.5.5.2), so it is checked as that.
        let address = address.to_canonical();
        is_global(address) || self.allow.iter().any(|net| net.contains(&address))
    }

    /// Checks what can be checked of `url` without the DNS: scheme, credentials, literal address.
    pub(super) fn check(&self, url: &Url) -> Result<(), FetchError> {
        if !matches!(url.scheme(), "http" | "https") {
            return Err(FetchError::Scheme { scheme: url.scheme().to_owned() });
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(Blocked::Userinfo { host: url.host_str().unwrap_or_default().to_owned() }.into());
        }
        // The parser has already turned `2130706433`, `0x7f.1` and full-width digits into addresses.
        let address = match url.host() {
            Some(Host::Ipv4(address)) => Some(address.into()),
            Some(Host::Ipv6(address)) => Some(address.into()),
            Some(Host::Domain(name)) => return self.check_name(name),
            None => None,
        };
        match address {
            Some(address) if !self.permits(address) => Err(Blocked::Address(address).into()),
            _ => Ok(()),
        }
    }

    /// Checks a name: `localhost` and all names below it are loopback whatever the DNS says (RFC 6761, 6.3).
    fn check_name(&self, name: &str) -> Result<(), FetchError> {
        let bare = name.strip_suffix('.').unwrap_or(name);
        let local = bare == "localhost" || bare.ends_with(".localhost");
        let loopback: [IpAddr; 2] = [Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()];
        if local && !loopback.iter().any(|address| self.permits(*address)) {
            return Err(Blocked::Name { host: name.to_owned(), address: loopback[0] }.into());
        }
        Ok(())
    }

    /// Returns the permitted addresses of a DNS answer, at most [`MAX_ADDRESSES`]; fails if all are refused.
    fn filter(
        &self,
        host: &str,
        answers: impl Iterator<Item = SocketAddr>,
    ) -> Result<Vec<SocketAddr>, Blocked> {
        let (good, inner): (Vec<_>, Vec<_>) = answers.partition(|answer| self.permits(answer.ip()));
        match inner.first() {
            Some(answer) if good.is_empty() => {
                Err(Blocked::Name { host: host.to_owned(), address: answer.ip() })
            }
            _ => Ok(good.into_iter().take(MAX_ADDRESSES).collect()),
        }
    }
}

impl Resolve for AddressFilter {
    fn resolve(&self, name: Name) -> Resolving {
        let address_filter = self.clone();
        Box::pin(async move {
            let answers = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let good = address_filter.filter(name.as_str(), answers)?;
            Ok(Box::new(good.into_iter()) as Addrs)
        })
    }
}

fn is_global(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => !INNER_V4.iter().any(|net| net.contains(&address)),
        // NAT64 must not translate inner addresses (RFC 6052, 3.1), but a host without IPv4 reaches the rest
        // of the internet only through it.
        IpAddr::V6(address) if NAT64.contains(&address) => {
            let [.., a, b, c, d] = address.octets();
            is_global(Ipv4Addr::new(a, b, c, d).into())
        }
        IpAddr::V6(address) => {
            GLOBAL_V6.contains(&address) && !INNER_V6.iter().any(|net| net.contains(&address))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address_filter(allow: &[&str]) -> AddressFilter {
        AddressFilter::new(&allow.iter().map(|net| net.parse().unwrap()).collect::<Vec<_>>())
    }

    fn kind(address_filter: &AddressFilter, url: &str) -> &'static str {
        address_filter.check(&Url::parse(url).unwrap()).map_or_else(|error| error.kind(), |()| "ok")
    }

    /// Checks the first and last addresses of every refused block, and their permitted neighbours.
    #[test]
    fn inner_addresses_are_refused() {
        let refused = "0.0.0.0 0.255.255.255 10.0.0.0 10.255.255.255 100.64.0.0 100.100.100.200 \
            100.127.255.255 127.0.0.0 127.0.0.1 127.255.255.255 168.63.129.16 169.254.0.0 169.254.169.254 \
            169.254.255.255 172.16.0.0 172.31.255.255 192.0.0.0 192.0.0.192 192.0.0.255 192.0.2.0 \
            192.0.2.255 192.88.99.0 192.88.99.255 192.168.0.0 192.168.255.255 198.18.0.0 198.19.255.255 \
            198.51.100.0 198.51.100.255 203.0.113.0 203.0.113.255 224.0.0.0 239.255.255.255 240.0.0.0 \
            255.255.255.254 255.255.255.255 :: ::1 ::127.0.0.1 ::8.8.8.8 ::ffff:0.0.0.0 ::ffff:127.0.0.1 \
            ::ffff:10.0.0.1 ::ffff:0:127.0.0.1 64:ff9b::127.0.0.1 64:ff9b::10.0.0.1 \
            64:ff9b::169.254.169.254 64:ff9b:1::8.8.8.8 64:ff9b:0:0:0:1:808:808 100::1 100:0:0:1::1 \
            2001::1 2001:0:4136:e378:8000:63bf:3fff:fdd2 2001:2::1 2001:10::1 2001:20::1 2001:1ff:ffff::1 \
            2001:db8::1 2001:db8:ffff::1 2002:7f00:1::1 2002:808:808::1 2002:ffff::1 3fff::1 3fff:fff::1 \
            4000::1 5f00::1 fc00::1 fd00:ec2::254 fdff:ffff::1 fe80::1 febf::1 fec0::1 feff::1 ff00::1 \
            ff02::1 ff0e::1 ffff::1";
        let permitted = "1.0.0.0 1.1.1.1 8.8.8.8 9.255.255.255 11.0.0.0 100.63.255.255 100.128.0.0 \
            126.255.255.255 128.0.0.0 168.63.129.15 168.63.129.17 169.253.255.255 169.255.0.0 \
            172.15.255.255 172.32.0.0 191.255.255.255 192.0.1.0 192.0.3.0 192.88.98.255 192.88.100.0 \
            192.167.255.255 192.169.0.0 198.17.255.255 198.20.0.0 198.51.99.255 198.51.101.0 \
            203.0.112.255 203.0.114.0 223.255.255.255 ::ffff:8.8.8.8 64:ff9b::8.8.8.8 \
            2000::1 2001:200::1 2001:4860:4860::8888 2001:db7:ffff::1 2001:db9::1 2003::1 2606:4700::1111 \
            2a00:1450::1 3ffe:ffff::1 3fff:1000::1";
        let none = address_filter(&[]);
        for text in refused.split_whitespace() {
            assert!(!none.permits(text.parse().unwrap()), "{text}");
        }
        for text in permitted.split_whitespace() {
            assert!(none.permits(text.parse().unwrap()), "{text}");
        }
    }

    #[test]
    fn allowed_blocks_are_exact() {
        let some = address_filter(&["127.0.1.1/32", "fd00::/16"]);
        for (text, permitted) in [
            ("127.0.1.1", true),
            ("::ffff:127.0.1.1", true),
            ("127.0.1.2", false),
            ("::1", false),
            ("64:ff9b::127.0.1.1", false),
            ("2002:7f00:101::1", false),
            ("fd00::7", true),
            ("fd01::7", false),
        ] {
            assert_eq!(some.permits(text.parse().unwrap()), permitted, "{text}");
        }
    }

    /// Addresses that the client does not resolve.
    #[test]
    fn literal_hosts() {
        let blocked = "http://127.0.0.1/ http://127.0.0.1./ http://2130706433/ http://0x7f.1/ \
            http://0x7f000001/ http://0177.0.0.1/ http://127.1/ http://0/ http://１２７.０.０.１/ \
            http://①②⑦.⓪.⓪.①/ http://[::1]/ http://[::]:8080/ http://[::ffff:127.0.0.1]/ \
            http://[::ffff:7f00:1]/ http://[::127.0.0.1]/ http://[64:ff9b::7f00:1]/ \
            http://[2002:7f00:1::]/ http://[2001:0:0:0:0:0:80ff:f6f6]/ http://localhost/ \
            http://LOCALHOST./ http://a.localhost/ http://user@example.org/ \
            http://:secret@example.org/ http://example.org:1@127.0.0.1/";
        let others = [
            ("ftp://example.org/", "scheme"),
            ("file:///etc/passwd", "scheme"),
            ("data:text/xml,x", "scheme"),
            ("http+unix://x/", "scheme"),
            ("http://8.8.8.8:22/", "ok"),
            ("https://[2606:4700::1111]/", "ok"),
            ("http://example.org:8080/", "ok"),
            ("http://notlocalhost/", "ok"),
        ];
        let blocked = blocked.split_whitespace().map(|url| (url, "blocked"));
        for (url, expected) in blocked.chain(others) {
            assert_eq!(kind(&address_filter(&[]), url), expected, "{url}");
        }
        assert!(Url::parse("http://[fe80::1%25lo]/").is_err(), "the parser has begun to read zone ids");
        let local = address_filter(&["127.0.0.0/8"]);
        assert_eq!(kind(&local, "http://localhost/"), "ok");
        assert_eq!(kind(&local, "http://0x7f.1/"), "ok");
        assert_eq!(kind(&local, "http://[::1]/"), "blocked");
    }

    #[test]
    fn answers_are_filtered() {
        let addresses = |texts: &[&str]| -> Vec<SocketAddr> {
            texts.iter().map(|text| SocketAddr::new(text.parse().unwrap(), 0)).collect()
        };
        let ask = |texts: &[&str]| address_filter(&[]).filter("x.test", addresses(texts).into_iter());
        assert_eq!(ask(&["127.0.0.1", "8.8.8.8"]).unwrap(), addresses(&["8.8.8.8"]));
        assert!(matches!(ask(&["10.0.0.1", "::1"]), Err(Blocked::Name { address, .. }) if address.is_ipv4()));
        assert!(ask(&[]).unwrap().is_empty());
        assert_eq!(ask(&["8.8.8.8"; 400]).unwrap().len(), MAX_ADDRESSES);
    }
}
