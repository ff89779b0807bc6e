"""Addresses that would reach what only this machine can reach are refused, however they are written."""

import socket

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handraise.errors import AddressError
from handraise.net.client import request
from handraise.net.guard import check_addresses, check_url, may_be_called, read_networks
from handraise.net.limits import Limits, resolve_name

# Everything below is asked for in earnest: looked up by the system as far as it goes, and never connected to.
HOSTILE = [
    # this machine, in all the ways of writing it
    "http://127.0.0.1/",
    "http://127.0.0.1:8080/",
    "http://127.1/",
    "http://127.0.1/",
    "http://127.255.255.254/",
    "http://127.0.0.1./",
    "http://2130706433/",
    "http://017700000001/",
    "http://0x7f000001/",
    "http://0x7F.0x0.0x0.0x1/",
    "http://0177.0.0.1/",
    "http://0177.0.0.01/",
    "http://0x7f.1/",
    "http://127.0x0.1/",
    "http://127.000.000.001/",
    "http://00000177.0.0.1/",
    "http://4294967297/",
    "http://0/",
    "http://0.0.0.0/",
    "http://0.0.0.0:22/",
    "http://0x0/",
    "http://00/",
    "http://localhost/",
    "http://LOCALHOST/",
    "http://localhost./",
    "http://localhost:6379/",
    "http://localhost%00.example.com/",
    "http://loc\u00e4lhost\u3002/",
    # letters that are folded to digits and dots
    "http://\u2460\u2461\u2466.0.0.1/",
    "http://\uff11\uff12\uff17.0.0.1/",
    "http://127\u30020\u30020\u30021/",
    "http://127\uff0e0\uff0e0\uff0e1/",
    "http://127\uff610\uff610\uff611/",
    "http://\u24db\u24de\u24d2\u24d0\u24db\u24d7\u24de\u24e2\u24e3/",
    "http://169\u3002254\u3002169\u3002254/",
    # encoded
    "http://%31%32%37.0.0.1/",
    "http://127%2e0%2e0%2e1/",
    "http://%6c%6f%63%61%6c%68%6f%73%74/",
    "http://127.0.0.1%23@example.com/",
    "http://127.0.0.1%2f@example.com/",
    # private networks, link-local, carriers', benchmarks, documentation, multicast, reserved
    "http://10.0.0.1/",
    "http://10.255.255.255/",
    "http://167772161/",
    "http://0xa.1/",
    "http://012.0.0.1/",
    "http://172.16.0.1/",
    "http://172.31.255.255/",
    "http://192.168.0.1/",
    "http://192.168.1/",
    "http://3232235777/",
    "http://100.64.0.1/",
    "http://100.127.255.254/",
    "http://198.18.0.1/",
    "http://198.19.255.255/",
    "http://192.0.0.8/",
    "http://192.0.2.1/",
    "http://192.88.99.1/",
    "http://203.0.113.9/",
    "http://224.0.0.1/",
    "http://239.255.255.250/",
    "http://240.0.0.1/",
    "http://255.255.255.255/",
    # where clouds keep their machines' passwords
    "http://169.254.169.254/latest/meta-data/",
    "http://169.254.170.2/v2/credentials",
    "http://2852039166/",
    "http://0xa9fea9fe/",
    "http://0251.0376.0251.0376/",
    "http://169.254.43518/",
    "http://100.100.100.200/",
    "http://168.63.129.16/",
    "http://192.0.0.192/",
    "http://[fd00:ec2::254]/",
    "http://[fd20:ce::254]/",
    # IPv6, and IPv4 inside of it
    "http://[::1]/",
    "http://[0:0:0:0:0:0:0:1]/",
    "http://[0000:0000:0000:0000:0000:0000:0000:0001]/",
    "http://[::]/",
    "http://[::ffff:127.0.0.1]/",
    "http://[::ffff:7f00:1]/",
    "http://[0:0:0:0:0:ffff:127.0.0.1]/",
    "http://[::ffff:0:127.0.0.1]/",
    "http://[::ffff:169.254.169.254]/",
    "http://[::ffff:10.0.0.1]/",
    "http://[::127.0.0.1]/",
    "http://[::7f00:1]/",
    "http://[64:ff9b::127.0.0.1]/",
    "http://[64:ff9b::a9fe:a9fe]/",
    "http://[64:ff9b:1::1]/",
    "http://[2002:7f00:1::]/",
    "http://[2002:a9fe:a9fe::1]/",
    "http://[2001:0:4136:e378:8000:63bf:3fff:fdd2]/",
    "http://[2001:10::1]/",
    "http://[2001:db8::1]/",
    "http://[2a00:1450:4001:82a:0:5efe:127.0.0.1]/",
    "http://[2a00:1450:4001:82a:200:5efe:a9fe:a9fe]/",
    "http://[fe80::1]/",
    "http://[fe80::1%25eth0]/",
    "http://[fe80::1%eth0]/",
    "http://[::1%lo]/",
    "http://[fec0::1]/",
    "http://[fc00::1]/",
    "http://[fd12:3456:789a::1]/",
    "http://[ff02::1]/",
    "http://[100::1]/",
    "http://[3fff::1]/",
    "http://[5f00::1]/",
    "http://[::1",
    "http://::1/",
    "http://[127.0.0.1]/",
    "http://[v1.127]/",
    # users, passwords, and what some take for them
    "http://user@93.184.215.14/",
    "http://user:secret@93.184.215.14/",
    "http://93.184.215.14@127.0.0.1/",
    "http://93.184.215.14:80@127.0.0.1/",
    "http://@127.0.0.1/",
    "http://93.184.215.14\\@127.0.0.1/",
    "http://127.0.0.1\\.example.com/",
    "http://93.184.215.14 .example.com/",
    "http://127.0.0.1\t/",
    "http://127.0.0.1\r\nHost: example.com/",
    "http://93.184.215.14/a b",
    "http://93.184.215.14/\r\nX-More: 1",
    "http://93.184.215.14/\x00",
    # other schemes, and no scheme
    "ftp://93.184.215.14/",
    "file:///etc/passwd",
    "gopher://127.0.0.1:6379/_FLUSHALL",
    "dict://127.0.0.1:11211/stat",
    "ldap://127.0.0.1/",
    "data:text/plain,x",
    "javascript:alert(1)",
    "unix:///var/run/docker.sock",
    "http:127.0.0.1",
    "http:/127.0.0.1",
    "//127.0.0.1/",
    "127.0.0.1",
    "http:///etc/passwd",
    "http://",
    "",
    # ports and names that are none
    "http://93.184.215.14:0/",
    "http://93.184.215.14:65536/",
    "http://93.184.215.14:-1/",
    "http://93.184.215.14:8a/",
    "http://93.184.215.14:\uff18\uff10/",
    "http://93.184.215.14:/",
    "http://-x.example/",
    "http://a..example/",
    "http://.example/",
    "http://xn--a/",
    f"http://{'a' * 64}.example/",
    f"http://{'a.' * 127}example/",
    f"http://93.184.215.14/{'a' * 2000}",
]


def _no_connection(*_: object, **__: object) -> None:
    raise AssertionError("a hostile address was connected to")


def test_there_are_enough_hostile_forms() -> None:
    assert len(set(HOSTILE)) == len(HOSTILE) >= 140


@pytest.mark.parametrize("url", HOSTILE)
def test_a_hostile_address_is_refused_before_anything_is_sent(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "create_connection", _no_connection)
    with pytest.raises(AddressError):
        request("GET", url, within=Limits(resolve=_as_written_or_here))


def _as_written_or_here(host: str, port: int) -> list[str]:
    """As the system does it for addresses in any form; a name means this machine, as whoever owns it can arrange."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST)
    except OSError:
        return ["127.0.0.1"]
    return [str(address[0]) for *_, address in found]


@pytest.mark.parametrize(
    ("url", "host", "port", "path"),
    [
        ("https://hooks.example.com/services/T0/B0/x?y=1#z", "hooks.example.com", 443, "/services/T0/B0/x?y=1"),
        ("HTTP://Example.COM", "example.com", 80, "/"),
        ("https://bücher.example/", "xn--bcher-kva.example", 443, "/"),
        ("http://93.184.215.14:8080/a//b", "93.184.215.14", 8080, "/a//b"),
        (
            "https://[2606:2800:21f:cb07:6820:80da:af6b:8b2c]:8443/?q",
            "2606:2800:21f:cb07:6820:80da:af6b:8b2c",
            8443,
            "/?q",
        ),
        ("https://my_team.example/x", "my_team.example", 443, "/x"),
    ],
)
def test_a_plain_address_is_read_as_written(url: str, host: str, port: int, path: str) -> None:
    target = check_url(url)
    assert (target.host, target.port, target.path) == (host, port, path)


def test_a_message_about_an_address_tells_no_secret_path() -> None:
    assert check_url("https://hooks.example.com:8443/services/SECRET").shown == "https://hooks.example.com:8443"


@pytest.mark.parametrize(
    "url",
    [
        "https://hooks.example.com\\services\\SECRET",
        "https://hooks.example.com services SECRET",
        "https://hooks.example.com\u3002services\uff0fSECRET\u00df",
        "https://1.2.3.SECRET.0x7f",
    ],
)
def test_a_secret_that_is_taken_for_a_part_of_the_host_is_not_said(url: str) -> None:
    with pytest.raises(AddressError) as caught:
        check_url(url)
    assert "secret" not in str(caught.value).lower()


@pytest.mark.parametrize("address", ["93.184.215.14", "1.1.1.1", "2606:4700::1111", "64:ff9b::101:101"])
def test_public_addresses_may_be_called(address: str) -> None:
    assert [str(one) for one in check_addresses("x", [address], ())] == [address]


def test_a_name_that_leads_to_a_public_and_a_private_address_is_refused_whole() -> None:
    with pytest.raises(AddressError, match=r"10\.0\.0\.1, which is not a public address"):
        check_addresses("x", ["1.1.1.1", "10.0.0.1"], ())


def test_a_name_that_leads_nowhere_is_refused() -> None:
    with pytest.raises(AddressError, match="no address"):
        check_addresses("x", [], ())


def test_a_network_that_is_named_may_be_called_and_no_other() -> None:
    allow = read_networks(["10.1.0.0/16", "127.0.0.1", "fd12::/16"])
    for one in ("10.1.2.3", "127.0.0.1", "::ffff:127.0.0.1", "fd12::7"):
        assert check_addresses("x", [one], allow)
    for one in ("10.2.0.1", "127.0.0.2", "::1", "fd13::1", "192.168.0.1"):
        with pytest.raises(AddressError):
            check_addresses("x", [one], allow)


@pytest.mark.parametrize("address", ["169.254.169.254", "0.0.0.9", "100.100.100.200", "::", "fe80::1", "224.0.0.1"])
def test_where_passwords_are_kept_is_never_called(address: str) -> None:
    with pytest.raises(AddressError):
        check_addresses("x", [address], read_networks(["0.0.0.0/0", "::/0"]))


@given(st.ip_addresses(v=4))
def test_no_address_in_ipv6_clothes_goes_where_its_plain_form_may_not(address: object) -> None:
    import ipaddress

    plain = ipaddress.IPv4Address(str(address))
    for dressed in (f"::ffff:{plain}", f"64:ff9b::{plain}"):
        assert may_be_called(ipaddress.ip_address(dressed)) == may_be_called(plain)
    for dressed in (f"::{plain}", f"::ffff:0:{plain}", f"2a00::5efe:{plain}"):
        assert not may_be_called(ipaddress.ip_address(dressed))


@given(st.ip_addresses())
def test_whatever_python_knows_to_be_private_is_refused(address: object) -> None:
    import ipaddress

    one = ipaddress.ip_address(str(address))
    if not one.is_global:
        inner = getattr(one, "ipv4_mapped", None) or one
        assert not may_be_called(inner) or one in ipaddress.ip_network("64:ff9b::/96")


def test_the_system_looks_up_names() -> None:
    assert "127.0.0.1" in resolve_name("localhost", 80)
