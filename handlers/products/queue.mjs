// Messages for SQS, signed with the function's role. AWS's own SDK for Node.js is in Lambda only, in
// whichever version it has; for one call a signature and `fetch` are enough.

import { createRequire } from "node:module";

import { Problem } from "./http.mjs";

const { AwsClient } = createRequire(import.meta.url)("aws4fetch");

const ATTEMPTS = 3;
const FIRST_PAUSE = 50; // milliseconds; each further one is twice as long, all by chance shorter
const LONGEST = 2_000; // milliseconds of an attempt

const keys = new Map(); // a day's signing key takes four hashes

/**
 * Put a JSON message into a queue. When SQS does not answer, or asks to come back later, it is tried
 * again: the message may then be there twice. Raises Problem 503 when that does not help either, and
 * Error for any other refusal.
 */
export async function send(queueUrl, message) {
  const body = JSON.stringify({ QueueUrl: queueUrl, MessageBody: JSON.stringify(message) });
  for (let attempt = 1; ; attempt += 1) {
    const answer = await tried(body);
    if (answer?.ok) {
      await answer.arrayBuffer(); // the connection is used again once all is read
      return;
    }
    if (answer !== undefined && answer.status < 500 && answer.status !== 429 && !(await isThrottled(answer))) {
      throw new Error(`SQS refuses the message: ${answer.status}`);
    }
    if (attempt === ATTEMPTS) {
      throw new Problem(503, "Busy; please try again.");
    }
    const pause = FIRST_PAUSE * 2 ** (attempt - 1) * (0.5 + Math.random() / 2);
    await new Promise((resolve) => setTimeout(resolve, pause));
  }
}

// SQS's answer, undefined when there is none.
async function tried(body) {
  const { env } = process;
  const endpoint = env.AWS_ENDPOINT_URL_SQS || env.AWS_ENDPOINT_URL || `https://sqs.${env.AWS_REGION}.amazonaws.com`;
  const client = new AwsClient({
    accessKeyId: env.AWS_ACCESS_KEY_ID,
    secretAccessKey: env.AWS_SECRET_ACCESS_KEY,
    sessionToken: env.AWS_SESSION_TOKEN,
    service: "sqs",
    region: env.AWS_REGION,
    cache: keys,
  });
  const headers = { "Content-Type": "application/x-amz-json-1.0", "X-Amz-Target": "AmazonSQS.SendMessage" };
  const request = await client.sign(new URL("/", endpoint), { method: "POST", headers, body });
  try {
    return await fetch(request, { signal: AbortSignal.timeout(LONGEST) });
  } catch {
    return undefined;
  }
}

async function isThrottled(answer) {
  const text = await answer.text();
  return text.includes("Throttl");
}
