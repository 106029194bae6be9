// Structured logs: one JSON object per line on standard output, in the shape of common/logs.py.
//
// The lines are written past `console`: Lambda's runtime would put each into the `message` of a
// line of its own.

import { createRequire } from "node:module";

import { clean } from "./redaction.mjs";

const LEVELS = ["TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL"];
const TRACE = /(?:^|;)Root=(1-[0-9a-f]{8}-[0-9a-f]{24})(?:;|$)/;
const invocation = {};
let cold = true; // until the first invocation of this environment has begun

/**
 * Start an invocation: later lines carry Lambda's request id, the id of the request that all of
 * this is done for, and the given fields.
 */
export function begin(context, correlationId, fields = {}) {
  for (const name of Object.keys(invocation)) {
    delete invocation[name];
  }
  const trace = TRACE.exec(process.env._X_AMZN_TRACE_ID ?? "");
  Object.assign(
    invocation,
    { requestId: String(context?.awsRequestId ?? ""), correlation_id: correlationId },
    trace && { xray_trace_id: trace[1] },
    { cold_start: cold },
    fields,
  );
  cold = false;
}

/** The id of the request that all of this is done for, "" before the first invocation. */
export function correlationId() {
  return invocation.correlation_id ?? "";
}

/** Log at INFO; the fields become members of the line. */
export function info(message, fields = {}) {
  write("INFO", message, fields);
}

/** Log at ERROR, with the type, message and stack of its cause. */
export function error(message, cause) {
  const { name, message: text, stack } = cause instanceof Error ? cause : new Error(String(cause));
  write("ERROR", message, { error: { type: name, message: text, stack } });
}

function write(level, message, fields) {
  const wanted = LEVELS.indexOf((process.env.LOG_LEVEL ?? "").toUpperCase());
  if (LEVELS.indexOf(level) < (wanted < 0 ? LEVELS.indexOf("INFO") : wanted) && !isSampled()) {
    return;
  }
  const line = {
    timestamp: new Date().toISOString(),
    level,
    message,
    service: process.env.SERVICE_NAME ?? "sandpiper",
    function: process.env.AWS_LAMBDA_FUNCTION_NAME ?? "",
    version: process.env.AWS_LAMBDA_FUNCTION_VERSION ?? "",
    ...invocation,
    ...clean(fields),
  };
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

// Whether all of this request is logged: LOG_SAMPLE_RATE (0 to 1) is the share. Its id decides, so
// that all functions log the same requests.
function isSampled() {
  const rate = Number(process.env.LOG_SAMPLE_RATE ?? 0);
  // `import` would read it at every start.
  return rate > 0 && createRequire(import.meta.url)("node:zlib").crc32(correlationId()) < rate * 2 ** 32;
}
