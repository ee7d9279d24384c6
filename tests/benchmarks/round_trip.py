"""A mail server that is 20 ms away: our transport beside smtplib, on as many connections.

smtplib waits four times for each message (MAIL, RCPT, DATA, the dot), we wait once: beside `sendmail` with ready bytes
the limit is 4.0, whatever either costs. `send_message` is what smtplib's manual shows and what programs call.
"""

from tests.benchmarks import readers
from tests.benchmarks.bench import Bench
from tests.benchmarks.sinks import FastSink

KEYS = ("rtt20_vs_smtplib",)
DELAY_MS = 20
CONNECTIONS = 10


def measure(bench: Bench) -> None:
    message = bench.folder / "message.eml"
    message.write_bytes(bench.house.sample(readers.WARM_UP))
    total = bench.sizes.round_trips
    with FastSink(bench.fastsink, delay_ms=DELAY_MS) as sink:
        ours = bench.rival("ours", sink.url, str(message), str(total), str(CONNECTIONS))
        theirs = bench.rival("send_message", sink.url, str(message), str(total // 3), str(CONNECTIONS))
        bare = bench.rival("sendmail", sink.url, str(message), str(total // 3), str(CONNECTIONS))
        taken = sink.messages
    if taken != total + 2 * (total // 3):
        raise AssertionError(f"the server has {taken} messages of {total + 2 * (total // 3)}")
    bench.say(
        f"20 ms away, {CONNECTIONS} connections: we {ours:,.0f}/s, send_message {theirs:,.0f}/s, sendmail {bare:,.0f}/s"
    )
    bench.results.add(
        rtt20_vs_smtplib=ours / theirs,
        rtt20_vs_sendmail=ours / bare,
        rtt20_per_second=ours,
        rtt20_smtplib_per_second=theirs,
    )
