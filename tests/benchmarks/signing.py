"""What a DKIM signature costs in our worker, beside what OpenSSL needs for one on the same processors."""

import subprocess
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from tests.benchmarks import machine, readers
from tests.benchmarks.bench import Bench
from tests.benchmarks.house import family_costs
from tests.benchmarks.sinks import PROCESSES, FastSink

KEYS = ("dkim_vs_openssl", "dkim_cpu_us_per_message")
MAILINGS = 2  # of ten thousand each
SIGNATURE = 200  # bytes: no signature header is shorter


def measure(bench: Bench) -> None:
    openssl = openssl_us()
    bench.results.add(openssl_rsa2048_us=openssl)
    unsigned, size = _mail(bench)
    signed, signed_size = _mail(bench, DKIM_KEY=str(_key(bench)), DKIM_SELECTOR="bench")
    if signed_size - size < SIGNATURE:
        bench.results.cannot("not available: messages leave without a signature", *KEYS)
        bench.say("no signatures yet: the settings for DKIM change nothing")
        return
    cost = signed - unsigned
    bench.say(f"a signature {cost:.0f} µs, openssl {openssl:.0f} µs")
    bench.results.add(dkim_vs_openssl=cost / openssl, dkim_cpu_us_per_message=cost)


def openssl_us() -> float:
    """Processor time of one RSA-2048 signature with as many processes as our worker has, in microseconds."""
    binary = machine.program("openssl") or "openssl"
    done = subprocess.run(
        [binary, "speed", "-mr", "-seconds", "2", "-multi", str(PROCESSES), "rsa2048"],
        check=True,
        capture_output=True,
        text=True,
    )
    line = next(line for line in done.stdout.splitlines() if line.startswith("+F2:"))
    return PROCESSES * 1e6 / float(line.split(":")[3])  # signatures a second, of all processes together


def _mail(bench: Bench, **environment: str) -> tuple[float, float]:
    """Processor time of the workers and bytes on the wire, for each message."""
    with FastSink(bench.fastsink) as sink, bench.house.worker(sink.url, **environment) as worker:
        messages, size = sink.messages, sink.bytes
        costs = family_costs(bench.house, worker, sink.pid)
        sent = sum(bench.house.mail(readers.TEN_THOUSAND, worker).messages for _ in range(MAILINGS))
        return costs.microseconds_each(sent)["worker"], (sink.bytes - size) / (sink.messages - messages)


def _key(bench: Bench) -> Path:
    path = bench.folder / "dkim.pem"
    if not path.exists():
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        path.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )
        path.chmod(0o600)
    return path
