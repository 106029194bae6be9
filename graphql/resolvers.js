/**
 * Every field of the schema, answered by the function that answers its route of the REST API.
 *
 * AppSync runs this file for each field (runtime APPSYNC_JS 1.0.0, which has no exceptions, no regular expressions and
 * no plain for). The function gets the event it knows from the REST API; a problem that it answers is the field's error,
 * with the problem's detail as message and its status, request id and refused members as errorInfo.
 */
import { util } from "@aws-appsync/utils";

const ROUTES = {
  item: { httpMethod: "GET", resource: "/items/{id}", absent: 404 },
  items: { httpMethod: "GET", resource: "/items" },
  createItem: { httpMethod: "POST", resource: "/items" },
  updateItem: { httpMethod: "PUT", resource: "/items/{id}" },
  deleteItem: { httpMethod: "DELETE", resource: "/items/{id}" },
};

const ERRORS = {
  "400": "BadRequest",
  "404": "NotFound",
  "412": "PreconditionFailed",
  "428": "PreconditionRequired",
  "503": "Unavailable",
};

/** The event of a Lambda proxy integration, payload format 1.0. */
export function request(ctx) {
  const { httpMethod, resource } = ROUTES[ctx.info.fieldName];
  const { id, input, limit, cursor, version } = ctx.args;
  const headers = {};
  const correlation = ctx.request.headers["x-correlation-id"];
  if (correlation) {
    headers["X-Correlation-Id"] = correlation;
  }
  if (isGiven(version)) {
    headers["If-Match"] = `"${version}"`;
  }
  const query = {};
  if (isGiven(limit)) {
    query.limit = `${limit}`;
  }
  if (cursor) {
    query.cursor = cursor;
  }
  if (input) {
    headers["Content-Type"] = "application/json";
  }
  return {
    operation: "Invoke",
    payload: {
      httpMethod,
      resource,
      path: id ? `/items/${util.urlEncode(id)}` : "/items",
      pathParameters: id ? { id } : null,
      queryStringParameters: query,
      headers,
      body: input ? JSON.stringify(given(input)) : null,
      isBase64Encoded: false,
      requestContext: { requestId: util.autoId() },
    },
  };
}

function isGiven(value) {
  return value !== undefined && value !== null;
}

/** What GraphQL sends as null is what REST leaves out. */
function given(input) {
  const members = {};
  for (const name of Object.keys(input)) {
    if (isGiven(input[name])) {
      members[name] = input[name];
    }
  }
  return members;
}

/** The body of the function's answer; its id where there is none; an error where it is a problem. */
export function response(ctx) {
  const answer = ctx.result;
  if (ctx.error || !answer || !answer.statusCode) {
    // What the function said of itself is in its log and nobody else's business.
    return util.error("Something went wrong on our side.", "InternalServerError");
  }
  const status = answer.statusCode;
  if (status === ROUTES[ctx.info.fieldName].absent) {
    return null;
  }
  const body = answer.body ? JSON.parse(answer.body) : null;
  if (status >= 400) {
    const { detail, requestId, errors } = body ?? {};
    const info = { status, requestId, errors: errors ?? [] };
    const message = detail ?? "Something went wrong on our side.";
    return util.error(message, ERRORS[`${status}`] ?? "InternalServerError", null, info);
  }
  return body ?? ctx.args.id;
}
