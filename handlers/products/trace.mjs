// Subsegments of AWS X-Ray, as its documents are published, sent to the daemon that Lambda runs
// beside the function. Tracing never fails the function, and is nothing at all where the invocation
// is not sampled.
// https://docs.aws.amazon.com/xray/latest/devguide/xray-api-segmentdocuments.html

import { randomBytes } from "node:crypto";

import * as logs from "./logs.mjs";

const DAEMON = /(?:^|udp:)([\d.]+):(\d+)/; // "127.0.0.1:2000", "tcp:127.0.0.1:2000 udp:127.0.0.1:2000"
const HEADER = '{"format": "json", "version": 1}\n';

/**
 * Do the work of a call to AWS as a subsegment. `work` gets the trace header to send along, undefined
 * where there is none, and the document, to which it may add.
 */
export async function call(service, aws, work) {
  const given = process.env._X_AMZN_TRACE_ID || undefined;
  const { Root, Parent, Sampled } = Object.fromEntries((given ?? "").split(";").map((part) => part.split("=")));
  const daemon = DAEMON.exec(process.env.AWS_XRAY_DAEMON_ADDRESS ?? "");
  if (!Root || !Parent || Sampled !== "1" || !daemon) {
    return await work(given, {});
  }
  const id = randomBytes(8).toString("hex");
  const document = {
    ...{ type: "subsegment", name: service, namespace: "aws", id, trace_id: Root, parent_id: Parent },
    ...{ start_time: Date.now() / 1000, annotations: { correlation_id: logs.correlationId() }, aws },
  };
  try {
    // What else is in it (Lineage) is how Lambda finds loops.
    return await work(given.replace(/(^|;)Parent=[^;]*/, `$1Parent=${id}`), document);
  } catch (error) {
    // Its text may say whose order it is.
    const cause = { exceptions: [{ id: randomBytes(8).toString("hex"), type: error?.constructor?.name }] };
    Object.assign(document, document.error ? {} : { fault: true }, { cause });
    throw error;
  } finally {
    await sent({ ...document, end_time: Date.now() / 1000 }, daemon);
  }
}

// Waited for: the environment may be frozen as soon as the invocation is answered.
async function sent(document, [, address, port]) {
  const { createSocket } = await import("node:dgram"); // milliseconds of a start, for what is sampled
  await new Promise((resolve) => {
    const socket = createSocket("udp4");
    const done = () => resolve(socket.close());
    try {
      socket.send(HEADER + JSON.stringify(document), Number(port), address, done);
    } catch {
      done(); // no such port
    }
  });
}
