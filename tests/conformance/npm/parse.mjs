// What mailparser makes of messages: [path, …] in, one description each out.
import { readFile } from "node:fs/promises";
import { simpleParser } from "mailparser";

let asked = "";
for await (const chunk of process.stdin) asked += chunk;

const people = (field) => (field ? field.value.map(({ name, address }) => ({ name, address })) : []);

async function describe(path) {
  const mail = await simpleParser(await readFile(path), { skipTextLinks: true, skipImageLinks: true });
  const list = mail.headers.get("list") ?? {};
  return {
    from: people(mail.from),
    to: people(mail.to),
    replyTo: people(mail.replyTo),
    cc: people(mail.cc),
    subject: mail.subject ?? "",
    date: mail.date?.toISOString() ?? "",
    messageId: mail.messageId ?? "",
    text: mail.text ?? "",
    html: mail.html || "",
    attachments: mail.attachments.length,
    unsubscribeUrl: list.unsubscribe?.url ?? "",
    unsubscribeMail: list.unsubscribe?.mail ?? "",
    listId: list.id ?? null,
    list,
  };
}

console.log(JSON.stringify(await Promise.all(JSON.parse(asked).map(describe))));
