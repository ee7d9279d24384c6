"""A name server on loopback that knows one zone and asks nobody."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset

Zone = dict[tuple[str, str], list[str]]  # by name and kind; whatever is not in it does not exist


@contextmanager
def serving(zone: Zone) -> Iterator[int]:
    """Its port, while it answers. The zone may change meanwhile."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        thread = threading.Thread(target=_answer, args=(server, zone))
        thread.start()
        try:
            yield int(server.getsockname()[1])
        finally:
            server.sendto(b"", server.getsockname())
            thread.join()


def _answer(server: socket.socket, zone: Zone) -> None:
    while packet := server.recvfrom(4096):
        content, client = packet
        if not content:
            return
        query = dns.message.from_wire(content)
        question = query.question[0]
        name, kind = question.name.to_text(omit_final_dot=True), dns.rdatatype.to_text(question.rdtype)
        answer = dns.message.make_response(query)
        answer.flags |= dns.flags.RA
        if found := zone.get((name, kind)):
            answer.answer.append(dns.rrset.from_text(question.name, 60, "IN", kind, *found))
        elif not any(known == name for known, _ in zone):
            answer.set_rcode(dns.rcode.NXDOMAIN)
        server.sendto(answer.to_wire(), client)
