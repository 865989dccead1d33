// Renders MJML with the reference: an object of names and MJML on stdin, the same names with HTML on stdout.
// It validates strictly: what mrml passes in silence (an attribute that does not exist, a tag in the wrong place) ends it.
import { createRequire } from "node:module";

const mjml = createRequire(`${process.cwd()}/target/npm/`)("mjml");

let input = "";
for await (const piece of process.stdin) input += piece;

const rendered = {};
for (const [name, source] of Object.entries(JSON.parse(input))) {
  try {
    // No fonts from elsewhere, as src/letter/render/mjml.rs has it.
    rendered[name] = mjml(source, { fonts: {}, validationLevel: "strict" }).html;
  } catch (error) {
    console.error(`${name}: ${error.message}`);
    process.exit(1);
  }
}
process.stdout.write(JSON.stringify(rendered));
