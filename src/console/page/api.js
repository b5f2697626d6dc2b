// @ts-check
/** The client of the console's API. */

/** The base path of the API. */
export const API = "/api/v1";

/** An error response of the API. */
export class ApiError extends Error {
  /** @param {number} status @param {string} message @param {string} [field] */
  constructor(status, message, field) {
    super(message);
    this.status = status;
    /** The field of a form that is wrong, if there is one. */
    this.field = field;
  }
}

/** @param {string} path @returns {Promise<any>} */
export function get(path) {
  return ask("GET", path);
}

/** @param {string} path @param {object} [body] @returns {Promise<any>} */
export function post(path, body = {}) {
  return ask("POST", path, body);
}

/** @param {string} path @returns {Promise<any>} */
export function remove(path) {
  return ask("DELETE", path);
}

/** @param {string} method @param {string} path @param {object} [body] */
async function ask(method, path, body) {
  const answer = await fetch(`${API}/${path}`, {
    method,
    ...body ? { body: JSON.stringify(body), headers: { "content-type": "application/json" } } : {},
  }).catch(() => {
    throw new ApiError(0, "the server does not answer");
  });
  const value = answer.status === 204 ? undefined : await answer.json();
  if (!answer.ok) throw new ApiError(answer.status, value.error, value.field);
  return value;
}
