"""The host in an e-mail address or a web address, as expressions; which company a host is, `accounts` knows."""

from __future__ import annotations

import ibis.expr.types as ir


def email_host(email: ir.StringValue) -> ir.StringValue:
    """What follows the last @, lower case; NULL when there is none."""
    found: ir.StringValue = email.strip().lower().re_extract(r"@([^@\s]+)$", 1).nullif("")
    return found


def web_host(text: ir.StringValue) -> ir.StringValue:
    """The host of a domain that may be written as a URL, such as `https://www.example.com/about`."""
    bare = text.strip().lower().re_replace(r"^[a-z][a-z0-9+.-]*://", "").re_replace(r"[/?#:].*$", "")
    host: ir.StringValue = bare.re_replace(r"^.*@", "").nullif("")
    return host
