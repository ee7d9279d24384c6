// What caniemail knows against HTML texts: {html: [text, …], clients: [glob, …]} in. Out, for each text, what is not
// supported and what is only in part, each as [mail program, feature].
import { caniemail } from "caniemail";

let asked = "";
for await (const chunk of process.stdin) asked += chunk;
const { html, clients } = JSON.parse(asked);

const pairs = (issues) => [...issues].flatMap(([client, found]) => found.map(({ title }) => [client, title]));

console.log(
  JSON.stringify(
    html.map((text) => {
      const { issues } = caniemail({ html: text, clients });
      return { unsupported: pairs(issues.errors), partly: pairs(issues.warnings) };
    }),
  ),
);
