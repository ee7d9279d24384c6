// What mailauth finds of messages, asking one name server alone: {port, paths, ip, helo, sender} in. Out, for each
// message, the result of SPF, of each DKIM signature by its selector, and of DMARC.
import { Resolver } from "node:dns/promises";
import { readFile } from "node:fs/promises";
import { authenticate } from "mailauth";

let asked = "";
for await (const chunk of process.stdin) asked += chunk;
const { port, paths, ip, helo, sender } = JSON.parse(asked);

const server = new Resolver();
server.setServers([`127.0.0.1:${port}`]);
const resolver = (name, kind) => server.resolve(name, kind);

async function found(path) {
  const { spf, dkim, dmarc } = await authenticate(await readFile(path), {
    ip,
    helo,
    sender,
    resolver,
    mta: "mx.readers.example",
    trustReceived: false,
    disableArc: true,
    disableBimi: true,
  });
  return {
    spf: spf.status.result,
    dkim: Object.fromEntries(dkim.results.map(({ selector, status }) => [selector ?? "", status.result])),
    aligned: dkim.results.filter(({ status }) => status.aligned).length,
    dmarc: dmarc ? dmarc.status.result : "none",
  };
}

const all = [];
for (const path of paths) all.push(await found(path));
console.log(JSON.stringify(all));
