// GET /products and POST /orders, in Node.js. It answers behind the HTTP API and at its function URL,
// and would behind a REST API or a load balancer. Orders are priced and answered; one that says whose
// it is goes into the orders queue, where ORDERS_QUEUE_URL names one.

import { randomUUID } from "node:crypto";
import { createRequire } from "node:module";

import { answer, endpoint, jsonObject, Problem } from "./http.mjs";
import { send } from "./queue.mjs";

// A layer's packages are found through NODE_PATH, which `require` looks at and `import` does not.
const Big = createRequire(import.meta.url)("big.js");

const PRODUCTS = [
  { id: "binoculars", name: "Binoculars", price: "129.90" },
  { id: "field-guide", name: "Field guide", price: "24.95" },
  { id: "cord", name: "Cord, per metre", price: "0.145" },
];
const PRICES = new Map(PRODUCTS.map(({ id, price }) => [id, price]));
const MOST_ITEMS = 100;
const MOST_OF_ONE = 1000;
const LONGEST_ID = 100;
const MEMBERS = new Set(["id", "quantity", "price"]);
const ORDER_ID = /^[A-Za-z0-9_-]{1,64}$/;
const LONGEST_EMAIL = 320;
const CONTROL = /[\x00-\x1f\x7f-\x9f]/;
const PRICE = /^\d{1,9}(\.\d{1,4})?$/;

export const handler = endpoint({
  "GET /products": () => answer(200, { message: "List of products", products: PRODUCTS }),
  "POST /orders": createOrder,
});

/**
 * 201 with the order as it was sent. An order may list `items`, each an `id`, a `quantity` and, for
 * what is not in the list of products, a `price`; their `total` then comes along: text with two
 * decimals, half a cent rounded up. What the list holds costs what the list says.
 *
 * An order of items with a `customerEmail` is placed, and its `orderId` answered: its own or, without
 * one, a new one. Sent again with the same orderId it is placed once.
 */
async function createOrder(event) {
  const order = jsonObject(event);
  const listed = Object.hasOwn(order, "items");
  const queue = process.env.ORDERS_QUEUE_URL;
  const placed = queue && listed && Object.hasOwn(order, "customerEmail");
  const errors = [...(listed ? mistakes(order.items) : []), ...(placed ? mistakesOfPlaced(order) : [])];
  if (errors.length > 0) {
    throw new Problem(400, "The order is not valid.", errors);
  }
  const total = listed && { total: totalOf(order.items) };
  const id = placed && { orderId: await place(queue, order) };
  return answer(201, { message: "Order created", order, ...total, ...id });
}

async function place(queue, { orderId = randomUUID(), customerEmail, items }) {
  const priced = items.map(({ id, quantity, price }) => ({ id, quantity, price: priceOf(id, price) }));
  await send(queue, { orderId, customerEmail, items: priced });
  return orderId;
}

function priceOf(id, price) {
  return PRICES.get(id) ?? String(price);
}

function totalOf(items) {
  const prices = items.map(({ id, quantity, price }) => Big(priceOf(id, price)).times(quantity));
  return prices.reduce((sum, price) => sum.plus(price), Big(0)).toFixed(2);
}

function mistakesOfPlaced({ orderId, customerEmail }) {
  const errors = [];
  if (orderId !== undefined && !(typeof orderId === "string" && ORDER_ID.test(orderId))) {
    errors.push({ pointer: "/orderId", detail: "must be 1 to 64 of A-Z a-z 0-9 - and _" });
  }
  if (!isEmail(customerEmail)) {
    const detail = `must be a text of 1 to ${LONGEST_EMAIL} characters on one line`;
    errors.push({ pointer: "/customerEmail", detail });
  }
  return errors;
}

// Whether it is an address is for the mail service to say, and no reason to lose an order.
function isEmail(value) {
  const text = typeof value === "string" && value.isWellFormed() && value.trim() !== "";
  return text && value.length <= LONGEST_EMAIL && !CONTROL.test(value);
}

function mistakes(items) {
  if (!Array.isArray(items) || items.length === 0 || items.length > MOST_ITEMS) {
    return [{ pointer: "/items", detail: `must be a list of 1 to ${MOST_ITEMS} items` }];
  }
  return items.flatMap((item, position) => mistakesOf(item, `/items/${position}`));
}

function mistakesOf(item, pointer) {
  if (typeof item !== "object" || item === null || Array.isArray(item)) {
    return [{ pointer, detail: "must be an object" }];
  }
  const { id, quantity, price } = item;
  const errors = [];
  if (typeof id !== "string" || id.length < 1 || id.length > LONGEST_ID) {
    errors.push({ pointer: `${pointer}/id`, detail: `must be a text of 1 to ${LONGEST_ID} characters` });
  } else if (price === undefined ? !PRICES.has(id) : !isPrice(price)) {
    const detail = "must be a price of at most 4 decimals, unless the product is in the list";
    errors.push({ pointer: `${pointer}/price`, detail });
  }
  if (!Number.isInteger(quantity) || quantity < 1 || quantity > MOST_OF_ONE) {
    const detail = `must be a whole number of 1 to ${MOST_OF_ONE}`;
    errors.push({ pointer: `${pointer}/quantity`, detail });
  }
  if (Object.keys(item).some((name) => !MEMBERS.has(name))) {
    errors.push({ pointer, detail: "may only have id, quantity and price" });
  }
  return errors;
}

function isPrice(value) {
  return ["string", "number"].includes(typeof value) && PRICE.test(String(value));
}
