// Secrets and personal data, blotted out of whatever is logged: by a member's name, by what a value
// looks like, and within texts and base64. A short form of common/redaction.py, which says more.

const HIDDEN = "***";
const LONGEST = 16_384; // characters that are kept of a text
const DEEPEST = 12; // nested members
const DEEPEST_BASE64 = 3;
const WORDS =
  "pass(?:word|wd|phrase)|pwd|secret|token|authori[sz]ation|cookie|credentials?|signature|phone|mobile" +
  "|(?:api|access|private|signing)[_-]?key|e[_-]?mail|card[_-]?number|credit[_-]?card|iban|cv[vc]|ssn|birth[_-]?date";
const SECRET_NAME = new RegExp(WORDS.replaceAll("[_-]?", ""));
// `password=x`, `"password": "x y"`, `Authorization: Bearer x`, also in JSON within a text.
const NAMED = new RegExp(
  `((?:${WORDS})(?:[\\w-]{0,24}(?:\\\\*["']\\s{0,9}[:=]\\s{0,9}|\\s{0,9}=\\s{0,9})|:\\s{1,9}))` +
    // A text that was cut has no closing quote.
    `(?:(\\\\*["']).{0,1024}?(?:\\2|$)|(?:\\\\*["'])?(?:(?:bearer|basic|digest)\\s+)?[^\\s"'&,;)}\\]]+)`,
  "gis",
);
const SHAPES = [
  /(?<![A-Za-z0-9])eyJ[\w-]{5,}(?:\.[\w-]*){1,4}/g, // a signed or encrypted token
  /(?<![A-Za-z0-9])A(?:KIA|SIA|BIA|CCA)[A-Z0-9]{16}/g, // the id of an access key
  /(?<![\w/+=])(?=[A-Za-z/+]*\d)(?=[a-z\d/+]*[A-Z])(?=[A-Z\d/+]*[a-z])[A-Za-z\d/+]{40}(?![\w/+=])/g,
  /[Bb]earer\s+[\w.~+/=-]{8,}/g,
  /-----BEGIN [A-Z ]*PRIVATE KEY-----(?:[^-]|-(?!----)){0,8192}(?:-----END [A-Z ]*KEY-----)?/g,
  /(?<=:\/\/)[^\s/@:]+:[^\s/@]+(?=@)/g, // user and password of a URL
  /(?<![\w.+-])[\w.+-]{1,64}(?:@|%40)\w[\w-]*(?:\.[\w-]+)*\.\p{L}{2,24}/gu, // an e-mail address
  /(?<!\w)\+\d(?:[ ().-]{0,2}\d){7,14}(?!\w)/g, // an international telephone number
  /(?<![\w.])[2-6](?:[ -]?\d){12,18}(?![\w.])/g, // a payment card's
];
const BASE64 = /[A-Za-z0-9+/_-]{12,}={0,2}/g;
const PLAIN = /^(?:[0-9a-f-]*|[A-Z_]*|[a-z/_-]*)$/; // hexadecimal, or words

/** A value as a line may have it. */
export function clean(value, depth = 0) {
  if (typeof value === "string") {
    const text = withoutSecrets(value.slice(0, LONGEST), 0);
    return value.length > LONGEST ? `${text}... (${value.length} characters)` : text;
  }
  if (typeof value !== "object" || value === null) {
    return value;
  }
  if (depth >= DEEPEST) {
    return "(cut)";
  }
  if (Array.isArray(value)) {
    return value.map((member) => clean(member, depth + 1));
  }
  const members = Object.entries(value).map(([name, member]) => [
    clean(name),
    isSecretName(name) ? HIDDEN : clean(member, depth + 1),
  ]);
  return Object.fromEntries(members);
}

function isSecretName(name) {
  return SECRET_NAME.test(name.replace(/[\W_]/g, "").toLowerCase());
}

function withoutSecrets(text, depth) {
  let found = text.replace(NAMED, (_, name, quote = "") => `${name}${quote}${HIDDEN}${quote}`);
  for (const shape of SHAPES) {
    found = found.replace(shape, HIDDEN);
  }
  return depth === DEEPEST_BASE64 ? found : found.replace(BASE64, (run) => (hides(run, depth) ? HIDDEN : run));
}

// Whether this is base64 of something that has to be blotted out.
function hides(run, depth) {
  if (PLAIN.test(run)) {
    return false;
  }
  const inner = Buffer.from(run, "base64").toString("utf-8"); // reads the alphabet of URLs as well
  return withoutSecrets(inner, depth + 1) !== inner;
}
