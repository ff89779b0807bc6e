"""Which addresses may be called: pure rules over the text of a URL and over the IP addresses that its name leads to.

An address that somebody typed must not reach what only this machine can reach: itself, the company's own network, or the
service in which a cloud keeps its machines' passwords.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from urllib.parse import urlsplit

from handraise.errors import AddressError

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

LONGEST_URL = 2000
_PORTS = {"http": 80, "https": 443}
# No spaces, no control characters, no backslash: programs disagree on what such a URL means.
_PLAIN = re.compile(r"[!-\[\]^-~]+")
_LABEL = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)")
# What many programs take for an IPv4 address however it is written: decimal, octal, hexadecimal, shortened.
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")

# Without quoting it: with a backslash or a space typed for a slash, the secret of a webhook's path is a part of it.
_NO_HOST = "what the URL names as its host cannot be the name of one"

# From the registries of special-purpose addresses (RFC 6890 and its successors).
_NOT_PUBLIC_4 = tuple(
    map(
        IPv4Network,
        (
            "0.0.0.0/8",  # this network
            "10.0.0.0/8",
            "100.64.0.0/10",  # carriers' own (CGNAT)
            "127.0.0.0/8",
            "169.254.0.0/16",  # link-local, and where clouds keep their machines' passwords
            "172.16.0.0/12",
            "192.0.0.0/24",
            "192.0.2.0/24",
            "192.31.196.0/24",
            "192.52.193.0/24",
            "192.88.99.0/24",  # relays of 6to4
            "192.168.0.0/16",
            "192.175.48.0/24",
            "198.18.0.0/15",
            "198.51.100.0/24",
            "203.0.113.0/24",
            "224.0.0.0/4",  # multicast
            "240.0.0.0/4",  # reserved, and broadcast
        ),
    )
)
# Of IPv6 only this is given out to the public, without the parts that are not or that wrap an IPv4 address.
_PUBLIC_6 = IPv6Network("2000::/3")
_NOT_PUBLIC_6 = tuple(
    map(
        IPv6Network,
        (
            "2001::/23",  # protocols' own, among them Teredo
            "2001:db8::/32",
            "2002::/16",  # 6to4
            "2620:4f:8000::/48",
            "3fff::/20",
        ),
    )
)
_NAT64 = IPv6Network("64:ff9b::/96")
# An interface that wraps an IPv4 address (ISATAP), whatever the network before it.
_ISATAP = (0x00005EFE, 0x02005EFE)
# Nobody's own server, also where private networks are allowed.
_NEVER = tuple(
    map(
        ip_network,
        ("0.0.0.0/8", "169.254.0.0/16", "168.63.129.16/32", "100.100.100.200/32", "224.0.0.0/4", "240.0.0.0/4"),
    )
) + tuple(map(ip_network, ("::/128", "fe80::/10", "fd00:ec2::254/128", "fd20:ce::254/128", "ff00::/8")))


@dataclass(frozen=True, kw_only=True, slots=True)
class Target:
    """Where a URL leads.

    Attributes:
        scheme: http or https.
        host: A name in ASCII, or an IP address in its usual form, without brackets.
        port: Port.
        path: Path and query, as they are sent.
    """

    scheme: str
    host: str
    port: int
    path: str

    @property
    def shown(self) -> str:
        """Scheme, host and port, for messages: paths of webhooks are secrets."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}" + ("" if self.port == _PORTS[self.scheme] else f":{self.port}")


def read_networks(texts: Iterable[str]) -> tuple[Network, ...]:
    """Networks from texts such as 10.1.0.0/16, 127.0.0.1 or fd12:3456::/32.

    Raises:
        ValueError: One is not a network.
    """
    return tuple(ip_network(text) for text in texts)


def check_url(url: str) -> Target:
    """Read a URL that somebody typed, and refuse whatever is not written plainly.

    Raises:
        AddressError: It is no http or https URL, holds a user or password, or its host can be read in two ways.
    """
    if len(url) > LONGEST_URL:
        raise _refused(f"a URL holds {LONGEST_URL:,} characters at most, not {len(url):,}")
    scheme, there, rest = url.partition("://")
    scheme = scheme.lower()
    if not there or scheme not in _PORTS:
        raise _refused("the URL does not begin with http:// or https://")
    authority = re.split(r"[/?#]", rest, maxsplit=1)[0]
    after = rest[len(authority) :]
    if after and not _PLAIN.fullmatch(after):
        raise _refused("the URL holds spaces, backslashes or letters that have to be written with %")
    if "@" in authority:
        raise _refused("the URL holds a user or a password", todo="Take it out; secrets are read from the environment.")
    host, port = _host_and_port(authority, scheme)
    parts = urlsplit(f"{scheme}://x{after}")
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Target(scheme=scheme, host=host, port=port, path=path)


def check_addresses(host: str, found: Iterable[str], allow: Iterable[Network]) -> tuple[Address, ...]:
    """IP addresses that a name led to; all are refused where one is not public, since names must not mix the two.

    Args:
        host: The name, for messages.
        found: What it led to, as text.
        allow: Networks that are not public and may be called all the same.

    Raises:
        AddressError: An address is not public and not allowed, or the name leads nowhere.
    """
    allowed, addresses = tuple(allow), tuple(_address(text) for text in found)
    if not addresses:
        raise _refused("the name leads to no address", where=host, todo="Check the spelling.")
    for one in addresses:
        if not may_be_called(one, allowed):
            raise _refused(
                f"it leads to {one}, which is not a public address",
                where=host,
                todo="If it is a server of yours, name its network under allow_private.",
            )
    return addresses


def may_be_called(address: Address, allow: Iterable[Network] = ()) -> bool:
    """Whether an address is public, or in one of the networks that may be called all the same."""
    address = _inner(address)
    if _within(address, _NEVER):
        return False
    return _within(address, allow) or _is_public(address)


def _is_public(address: Address) -> bool:
    if isinstance(address, IPv4Address):
        return not _within(address, _NOT_PUBLIC_4)
    if (int(address) >> 32) & 0xFFFFFFFF in _ISATAP:
        return False
    return address in _PUBLIC_6 and not _within(address, _NOT_PUBLIC_6)


def _inner(address: Address) -> Address:
    """What the machine would really talk to, where an IPv6 address only wraps an IPv4 one."""
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped:
            return address.ipv4_mapped
        if address in _NAT64:
            return IPv4Address(int(address) & 0xFFFFFFFF)
    return address


def _within(address: Address, networks: Iterable[Network]) -> bool:
    return any(address.version == network.version and address in network for network in networks)


def _address(text: str) -> Address:
    try:
        return ip_address(text.partition("%")[0])
    except ValueError as error:
        raise _refused("it leads to what is no IP address", where=text) from error


def _host_and_port(authority: str, scheme: str) -> tuple[str, int]:
    bracketed = re.fullmatch(r"\[([^\[\]]*)\](?::([0-9]*))?", authority)
    if bracketed:
        return _literal_6(bracketed[1]), _port(bracketed[2], scheme)
    host, colon, port = authority.partition(":")
    if ":" in port:
        raise _refused("an IPv6 address stands in brackets")
    return _name(host), _port(port if colon else None, scheme)


def _literal_6(text: str) -> str:
    if "%" in text:
        raise _refused("an address with a zone belongs to one network card")
    try:
        return str(IPv6Address(text))
    except ValueError as error:
        raise _refused("what stands in brackets is no IPv6 address") from error


def _port(text: str | None, scheme: str) -> int:
    if text is None:
        return _PORTS[scheme]
    if not re.fullmatch(r"[1-9][0-9]{0,4}", text) or int(text) > 65535:  # noqa: PLR2004 - the highest there is
        raise _refused("the port is none")
    return int(text)


def _name(host: str) -> str:
    """A host as it is looked up: in ASCII, small letters, an IPv4 address only in its usual form."""
    if not host:
        raise _refused("the URL names no host")
    if not host.isascii():
        host = _in_ascii(host)
    host = host.lower()
    labels = host.split(".")
    if _NUMBER.fullmatch(labels[-1]):
        try:
            return str(IPv4Address(host))
        except ValueError as error:
            raise _refused(
                "its host is an address in an unusual form", todo="Write it as four numbers, such as 192.0.2.7."
            ) from error
    if len(host) > 253 or not all(map(_LABEL.fullmatch, labels)):  # noqa: PLR2004 - of DNS
        raise _refused(_NO_HOST)
    return host


def _in_ascii(host: str) -> str:
    import idna

    try:
        return idna.encode(host, uts46=True).decode("ascii")
    except (idna.IDNAError, UnicodeError) as error:
        raise _refused(_NO_HOST) from error


def _refused(what: str, *, where: str = "", todo: str = "") -> AddressError:
    return AddressError(f"this address is not called: {what}.", where=where, todo=todo)
