//! Reasons for which the address filter refuses a request, each with what to do.

use std::net::IpAddr;

/// The reason for which the address filter refused a request.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Blocked {
    /// The host is written as an address that is not globally routable.
    #[error("the address {0} is an inner address; list it under `fetch.allow` if that is meant")]
    Address(IpAddr),
    /// The host is a name with inner addresses only.
    #[error(
        "the name {host} leads to the inner address {address}; list that under `fetch.allow` if it is meant"
    )]
    Name {
        /// The name.
        host: String,
        /// One of its addresses.
        address: IpAddr,
    },
    /// The address contains a user name or a password.
    #[error(
        "the address on {host} carries credentials; send them in an `Authorization` header under `headers`"
    )]
    Userinfo {
        /// The host behind the credentials.
        host: String,
    },
    /// The host is neither a name nor an address, for example one with a zone id.
    #[error("the redirect from {host} names no valid host; write the final address in the source")]
    Malformed {
        /// The host that sent the redirect.
        host: String,
    },
}
