// Requests, answers and problems, as common/http.py has them: payload format 1.0 (REST API), 2.0
// (function URL, HTTP API) and the events of a load balancer. Problems are RFC 9457 problem+json and
// never tell how the function works inside.

import * as logs from "./logs.mjs";

const LONGEST_BODY = 65_536; // characters
const DEEPEST_BODY = 32; // levels; what can be parsed may still be too deep to be written again
const TITLES = {
  400: "Bad Request",
  404: "Not Found",
  500: "Internal Server Error",
  503: "Service Unavailable",
};
const RETRY_AFTER = "1"; // seconds
const COMMON_HEADERS = { "Cache-Control": "no-store", "X-Content-Type-Options": "nosniff" };
const CORRELATION = "X-Correlation-Id";
const CORRELATION_ID = /^[A-Za-z0-9._:=-]{1,128}$/; // an HTTP API's own ids end in "="

/** An answer that is an error; `errors` name the places in the body: {pointer, detail}. */
export class Problem extends Error {
  constructor(status, detail, errors = []) {
    super(detail);
    this.status = status;
    this.errors = errors;
  }

  /** The problem+json answer. */
  answer(requestId) {
    const body = {
      type: "about:blank",
      title: TITLES[this.status],
      status: this.status,
      detail: this.message,
      requestId,
      ...(this.errors.length > 0 && { errors: this.errors }),
    };
    const made = answer(this.status, body, "application/problem+json");
    return this.status === 503 ? { ...made, headers: { ...made.headers, "Retry-After": RETRY_AFTER } } : made;
  }
}

/** An answer with a JSON body. */
export function answer(statusCode, body, contentType = "application/json") {
  const headers = { "Content-Type": contentType, ...COMMON_HEADERS };
  return { statusCode, headers, body: JSON.stringify(body) };
}

/**
 * A Lambda handler of routes, {"GET /products": function of an event}: problems, one log line per
 * request, never an exception. A warming event is answered at once.
 *
 * A request may say by X-Correlation-Id what it belongs to, else it is the gateway's id: all log
 * lines carry it, and so does the answer.
 */
export function endpoint(routes) {
  return async (event, context) => {
    const started = performance.now();
    const requestId = String(event?.requestContext?.requestId ?? context?.awsRequestId ?? "");
    const said = header(event, CORRELATION);
    const correlationId = CORRELATION_ID.test(said) ? said : requestId;
    logs.begin(context, correlationId, { apiRequestId: requestId });
    if (event?.warming === true) {
      return { warmed: true };
    }
    const { method, path } = target(event);
    const known = Object.hasOwn(routes, `${method} ${path}`);
    const result = await answered(known ? routes[`${method} ${path}`] : notFound, event, requestId);
    result.headers[CORRELATION] = correlationId;
    logs.info("request answered", {
      method,
      route: known ? path : "", // another path is text of a stranger
      status: result.statusCode,
      milliseconds: Math.round((performance.now() - started) * 10) / 10,
    });
    return event?.requestContext?.elb === undefined ? result : forBalancer(event, result);
  };
}

// A load balancer asks for the encoding of the body; headers are lists where its target group says
// so, and its events then have no others.
function forBalancer(event, { headers, ...result }) {
  const lists = Object.entries(headers).map(([name, value]) => [name, [value]]);
  const said = event.multiValueHeaders ? { multiValueHeaders: Object.fromEntries(lists) } : { headers };
  return { ...result, ...said, isBase64Encoded: false };
}

async function answered(route, event, requestId) {
  try {
    return await route(event);
  } catch (error) {
    if (error instanceof Problem) {
      return error.answer(requestId);
    }
    logs.error("unexpected error", error);
    return new Problem(500, "Something went wrong on our side.").answer(requestId);
  }
}

function notFound() {
  throw new Problem(404, "There is nothing here.");
}

// A header's value, "" when absent; several are joined by a comma.
function header(event, name) {
  for (const headers of [event?.multiValueHeaders, event?.headers]) {
    for (const [key, value] of Object.entries(headers ?? {})) {
      const texts = [value].flat().filter((text) => typeof text === "string");
      if (key.toLowerCase() === name.toLowerCase() && texts.length > 0) {
        return texts.join(", ");
      }
    }
  }
  return "";
}

function target(event) {
  const context = event?.requestContext;
  const method = String(event?.httpMethod ?? context?.http?.method ?? "");
  const path = String(event?.rawPath ?? event?.path ?? "");
  // An HTTP API puts a named stage in front of the path.
  const stage = context?.stage === undefined ? undefined : `/${context.stage}/`;
  return { method, path: stage && path.startsWith(stage) ? path.slice(stage.length - 1) : path };
}

/** The body as a JSON object. Raises Problem 400 for everything else. */
export function jsonObject(event) {
  const text = bodyText(event);
  if (text.trim() === "") {
    throw new Problem(400, "The request has no body.");
  }
  if (text.length > LONGEST_BODY) {
    throw new Problem(400, `The body is longer than ${LONGEST_BODY} characters.`);
  }
  let value;
  try {
    value = JSON.parse(text);
  } catch {
    throw new Problem(400, "The body is not valid JSON.");
  }
  if (isDeeper(value, DEEPEST_BODY)) {
    throw new Problem(400, "The body is nested too deeply.");
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new Problem(400, "The body must be a JSON object.");
  }
  return value;
}

function isDeeper(value, levels) {
  if (typeof value !== "object" || value === null) {
    return false;
  }
  return levels === 0 || Object.values(value).some((member) => isDeeper(member, levels - 1));
}

function bodyText(event) {
  if (typeof event?.body !== "string") {
    return "";
  }
  if (!event.isBase64Encoded) {
    return event.body;
  }
  // A function URL encodes every body that its Content-Type does not call text.
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(Buffer.from(event.body, "base64"));
  } catch {
    throw new Problem(400, "The body is not UTF-8 text.");
  }
}
