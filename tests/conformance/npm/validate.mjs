// What html-validate says of HTML texts: {html: [text, …], rules: {name: severity}} in, a list of findings each out.
import { HtmlValidate, StaticConfigLoader } from "html-validate";

let asked = "";
for await (const chunk of process.stdin) asked += chunk;
const { html, rules } = JSON.parse(asked);

const judge = new HtmlValidate(
  new StaticConfigLoader({ root: true, extends: ["html-validate:standard", "html-validate:a11y"], rules }),
);

async function findings(text) {
  const report = await judge.validateString(text);
  return report.results.flatMap((result) =>
    result.messages.map(({ ruleId, severity, message, line, selector }) => ({ ruleId, severity, message, line, selector })),
  );
}

console.log(JSON.stringify(await Promise.all(html.map(findings))));
