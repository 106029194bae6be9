// Messages for SQS, signed with the function's role. AWS's own SDK for Node.js is in Lambda only, in
// whichever version it has; for one call a signature and `fetch` are enough.

import { createRequire } from "node:module";

import { Problem } from "./http.mjs";
import * as logs from "./logs.mjs";
import * as trace from "./trace.mjs";

const { AwsClient } = createRequire(import.meta.url)("aws4fetch");

const ATTEMPTS = 3;
const FIRST_PAUSE = 50; // milliseconds; each further one is twice as long, all by chance shorter
const LONGEST = 2_000; // milliseconds of an attempt

const keys = new Map(); // a day's signing key takes four hashes

/**
 * Put a JSON message into a queue; its attribute `correlationId` is the one of the log lines. When SQS
 * does not answer, or asks to come back later, it is tried again: the message may then be there twice.
 * Raises Problem 503 when that does not help either, and Error for any other refusal.
 */
export async function send(queueUrl, message) {
  const correlation = { DataType: "String", StringValue: logs.correlationId() };
  const body = JSON.stringify({
    QueueUrl: queueUrl,
    MessageBody: JSON.stringify(message),
    MessageAttributes: { correlationId: correlation },
  });
  const aws = { operation: "SendMessage", region: process.env.AWS_REGION, queue_url: queueUrl };
  await trace.call("sqs", aws, (header, document) => persistent(body, header, document));
}

async function persistent(body, header, document) {
  for (let attempt = 1; ; attempt += 1) {
    const answer = await tried(body, header);
    describe(document, attempt, answer?.status);
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

// What the last attempt came to, in X-Ray's words.
function describe(document, attempt, status) {
  Object.assign(document, {
    aws: { ...document.aws, retries: attempt - 1 },
    ...(status && { http: { response: { status } } }),
    error: status >= 400 && status < 500,
    throttle: status === 429,
    fault: !(status < 500),
  });
}

// SQS's answer, undefined when there is none.
async function tried(body, header) {
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
  const headers = {
    "Content-Type": "application/x-amz-json-1.0",
    "X-Amz-Target": "AmazonSQS.SendMessage",
    ...(header && { "X-Amzn-Trace-Id": header }), // SQS hands it on with the message
  };
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
