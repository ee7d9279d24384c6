"""The neighbourhood a visitor comes from: enough to limit a flood, too little to tell who it is."""

from ipaddress import IPv6Address, ip_address, ip_network

from flask import request


def of_visitor() -> str:
    return truncated(request.remote_addr or "")


def truncated(address: str) -> str:
    """“203.0.113.0/24” or “2001:db8:1::/48”. Empty for what is no IP address, such as a socket's path."""
    try:
        ip = ip_address(address)
    except ValueError:
        return ""
    if isinstance(ip, IPv6Address) and ip.ipv4_mapped:
        ip = ip.ipv4_mapped
    return str(ip_network((int(ip), 24) if ip.version == 4 else (int(ip), 48), strict=False))
