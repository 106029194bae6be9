// GET /products and POST /orders, in Node.js. It answers behind the HTTP API and at its function URL,
// and would behind a REST API or a load balancer. Orders are priced and answered, not stored.

import { createRequire } from "node:module";

import { answer, endpoint, jsonObject, Problem } from "./http.mjs";

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
const PRICE = /^\d{1,9}(\.\d{1,4})?$/;

export const handler = endpoint({
  "GET /products": () => answer(200, { message: "List of products", products: PRODUCTS }),
  "POST /orders": createOrder,
});

/**
 * 201 with the order as it was sent. An order may list `items`, each an `id`, a `quantity` and, for
 * what is not in the list of products, a `price`; their `total` then comes along: text with two
 * decimals, half a cent rounded up. What the list holds costs what the list says.
 */
function createOrder(event) {
  const order = jsonObject(event);
  const total = Object.hasOwn(order, "items") && { total: totalOf(order.items) };
  return answer(201, { message: "Order created", order, ...total });
}

function totalOf(items) {
  const errors = mistakes(items);
  if (errors.length > 0) {
    throw new Problem(400, "The order is not valid.", errors);
  }
  const prices = items.map(({ id, quantity, price }) => Big(PRICES.get(id) ?? price).times(quantity));
  return prices.reduce((sum, price) => sum.plus(price), Big(0)).toFixed(2);
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
