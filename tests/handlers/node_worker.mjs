// Invokes handlers in Node.js: each line read is {file, event, context, environment}, each line
// written is {answer, lines}, where `lines` is what the handler wrote to standard output.

import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";

const write = process.stdout.write.bind(process.stdout);

for await (const line of createInterface({ input: process.stdin })) {
  const { file, event, context, environment } = JSON.parse(line);
  const lines = [];
  process.stdout.write = (text) => lines.push(text) > 0;
  process.env = { ...environment };
  const { handler } = await import(pathToFileURL(file));
  const answer = await handler(event, context);
  write(`${JSON.stringify({ answer, lines })}\n`);
}
